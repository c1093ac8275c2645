"""What a journal's store needs now and then: its damage told, mended, and merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import RewoundError
from backends.journal import GONE
from backends.reading import read_whole, to_be_replaced
from backends.segment import VOID_FRAME
from backends.unnoticed import lacking_copies

if TYPE_CHECKING:
    from backends.interface import Fault
    from backends.journal import Journal


_LOST = "the journal ended later when it was written: it has lost results"


class JournalUpkeep:
    """The `Upkeep` of a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def damaged(self) -> list[Fault]:
        from backends.interface import Fault  # a healthy store need not load it

        found = dict.fromkeys(self._journal.damaged.values())
        return [Fault(what, why) for what, why in found]

    def unnoticed(self) -> list[Fault]:
        from backends.interface import Fault

        journal, faults = self._journal, []
        for what, why, position in journal.log.unnoticed():
            if position is None:
                faults.append(Fault(what, why, (), "copy"))
            else:
                journal.damaged.setdefault(position, (what, why))
        faults += [Fault(what, why, (), "copy") for _, what, why in self._lack()]
        return faults + [
            Fault(f"document {name}", _LOST, (), "document") for name in self._beyond()
        ]

    def _beyond(self) -> list[str]:
        """Return the copies of segments that came later than the journal ends now.

        One at its very end may be about to be appended.
        """
        kept = self._journal.copies.positions()
        self._journal.catch_up()
        end = self._journal.state.position
        return [name for name, position in sorted(kept.items()) if position > end]

    def _lack(self) -> list[tuple[int, str, str]]:
        journal = self._journal
        end, without = journal.state.position, {*journal.damaged, *journal.refused}
        return list(lacking_copies(journal.log, journal.copies, end, without=without))

    def mend(self) -> int:
        journal = self._journal
        for position, *_ in self._lack():
            journal.copies.keep(position, [read_whole(journal.log, position)])
        damaged = journal.damaged
        mended = [
            at
            for at in damaged
            if journal.log.replace(at, journal.copies.frame(at) or VOID_FRAME)
        ]
        for position in mended:
            del damaged[position]
        whole = [at for at in damaged if not to_be_replaced(journal.log, at, 0)]
        if any(damaged[at][1] == GONE for at in whole):
            raise RewoundError(journal.log.url)  # others fill what this one saw lost
        if whole:
            return len(mended)  # somebody else has mended it: merge when it was read
        if damaged or any(journal.log.unnoticed()):
            self.compact()  # mends what is damaged in blocks that are merged
        return len(mended)

    def compact(self) -> int:
        self._journal.catch_up()
        return self._journal.compaction.merge_all()
