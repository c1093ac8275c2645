"""Images and tables on disk: opened lazily, read by box, written by many workers."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
