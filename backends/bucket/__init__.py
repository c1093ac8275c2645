"""A journal in a bucket of an object store: S3, GCS, Azure, and what is like them.

Names load their modules on first use: start-up stays short.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
