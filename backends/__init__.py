"""Where results and locks live: the interface that all backends keep.

Concrete backends are opened by URL with `backends.opening.open_backend`; nothing here
imports one.
"""

from backends.errors import BackendError as BackendError
from backends.errors import DamagedError as DamagedError
from backends.errors import FormatError as FormatError
from backends.errors import NoStoreError as NoStoreError
from backends.errors import OpenError as OpenError
from backends.errors import UnavailableError as UnavailableError
from backends.interface import Backend as Backend
from backends.interface import Cause as Cause
from backends.interface import Change as Change
from backends.interface import Claim as Claim
from backends.interface import Key as Key
from backends.interface import Lock as Lock
from backends.interface import Member as Member
from backends.interface import Row as Row
