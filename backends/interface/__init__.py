"""What a backend promises; its implementations and the engine meet only here.

A backend keeps a **journal**: one totally ordered sequence of immutable segments.
A segment is appended at a position by compare-and-append: it is there whole or not
at all, and only if the writer has seen everything before it. So every worker folds
the same history into the same state, and four things need no further protocol:

* the first result of a key wins, whoever comes late;
* a batch of locks is granted in one step, and each key in it to one worker;
* an invalidation voids the results that were begun before it;
* undoing an invalidation is one more segment.

Records and locks are that state, and `Backend` itself answers for them. What is kept
beside the journal has a part each: `Blobs`, `Documents`, `Members`, `Space`; what is
done to the journal as a whole is its `Upkeep`.

Backends know bytes. They know neither tasks nor arrays.
"""

from backends.interface.answers import (
    Change as Change,
    Claim as Claim,
    Discarded as Discarded,
    Lock as Lock,
    Where as Where,
)
from backends.interface.backend import Backend as Backend
from backends.interface.blobs import Blobs as Blobs
from backends.interface.documents import Documents as Documents
from backends.interface.members import Member as Member, Members as Members
from backends.interface.segments import (
    KEY_SIZE as KEY_SIZE,
    Bytes as Bytes,
    Cause as Cause,
    Key as Key,
    Kind as Kind,
    Row as Row,
    Segment as Segment,
)
from backends.interface.space import Space as Space
from backends.interface.upkeep import Fault as Fault, Upkeep as Upkeep
