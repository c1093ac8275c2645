"""Where results and locks live: the interface that all backends keep.

Concrete backends are opened by URL with `backends.opening.open_backend`; nothing here
imports one.
"""

from backends.errors import (
    BackendError as BackendError,
    DamagedError as DamagedError,
    FormatError as FormatError,
    NoStoreError as NoStoreError,
    OpenError as OpenError,
    UnavailableError as UnavailableError,
)
from backends.interface import (
    Backend as Backend,
    Cause as Cause,
    Change as Change,
    Claim as Claim,
    Key as Key,
    Lock as Lock,
    Member as Member,
    Row as Row,
)
