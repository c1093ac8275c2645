"""Grey values changed one by one or by a histogram; images cropped and padded."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
