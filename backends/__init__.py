"""Where results and locks live: the interface that all backends keep.

Concrete backends are opened by URL with `backends.opening.open_backend`; nothing here
imports one. Names load their modules on first use: start-up stays short.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
