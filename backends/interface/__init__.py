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

Names load their modules on first use: start-up stays short.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
