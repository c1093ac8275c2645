"""Partitions: regions of an image to measure, as labels or boxes, in one form."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
