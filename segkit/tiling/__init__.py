"""Boxes of an image: cut, read with a margin, joined; how far a function reaches."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
