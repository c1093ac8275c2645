"""Learning-free segmentation of images and volumes larger than memory.

Names load their modules on first use: `import segkit` imports no array library.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
