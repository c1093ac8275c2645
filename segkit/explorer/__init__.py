"""The explorer: a pipeline found by looking, in a browser or a notebook.

``segkit explore image.tif`` shows an image, the steps of a pipeline as sliders, and
what they make of it while a slider moves. All that is computed is Python of the other
folders; the page draws, and keeps the state in its address.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
