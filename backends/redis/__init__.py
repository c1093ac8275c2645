"""A journal in Redis or Valkey, shared by all machines that reach the server.

Names load their modules on first use: start-up stays short.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
