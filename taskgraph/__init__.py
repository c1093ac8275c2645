"""A memoized task graph, run by independent workers that share only a store.

Names load their modules on first use: start-up stays short.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
