from .answers import (
    Change as Change,
    Claim as Claim,
    Discarded as Discarded,
    Inputs as Inputs,
    Lock as Lock,
    Undoing as Undoing,
    Where as Where,
)
from .backend import Backend as Backend
from .blobs import Blobs as Blobs
from .documents import Documents as Documents
from .members import Member as Member, Members as Members
from .probing import (
    Finding as Finding,
    Level as Level,
    Probe as Probe,
    Service as Service,
)
from .segments import (
    KEY_SIZE as KEY_SIZE,
    Bytes as Bytes,
    Cause as Cause,
    Key as Key,
    Kind as Kind,
    Row as Row,
    Segment as Segment,
    alike as alike,
    each_key as each_key,
)
from .space import Space as Space
from .upkeep import Fault as Fault, Upkeep as Upkeep
