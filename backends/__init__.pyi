from .errors import (
    BackendError as BackendError,
    DamagedError as DamagedError,
    FormatError as FormatError,
    NoStoreError as NoStoreError,
    OpenError as OpenError,
    RewoundError as RewoundError,
    UnavailableError as UnavailableError,
)
from .interface import (
    Backend as Backend,
    Cause as Cause,
    Change as Change,
    Claim as Claim,
    Key as Key,
    Lock as Lock,
    Member as Member,
    Row as Row,
)
