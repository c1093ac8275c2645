"""Examples of segkit by topic: each function takes a picture and returns pictures.

The name of a function is the public function of segkit that it shows. What it returns
are pictures, masks and grey images by their titles; `gallery.py` shows them all.
"""
