"""What tasks ask for that wait for resources, said to who looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from taskgraph.tasks.task import TaskGenerator

Asking = dict[str, tuple[str, ...]]
"""What tasks ask for, as text, by the names of functions that ask for any."""


def asking_of(generators: Iterable[TaskGenerator]) -> Asking:
    """Return what tasks ask for, by the names of the functions that ask for any."""
    found: dict[str, set[str]] = {}
    for each in generators:
        if each.resources:
            found.setdefault(each.name, set()).add(str(each.resources))
    return {name: tuple(sorted(asked)) for name, asked in found.items()}


def waiting(
    counts: Mapping[str, int],
    asking: Mapping[str, Sequence[str]],
    offers: Sequence[Resources],
) -> Iterator[tuple[str, str, bool]]:
    """Yield who waits for what, and whether anybody has that, function by function.

    Parameters
    ----------
    counts : mapping
        How many tasks wait, by the names of their functions.
    asking : mapping
        What they ask for.
    offers : sequence of Resources
        What each command has whose workers may take them.

    Examples
    --------
    >>> has = Resources.of("gpu=1")
    >>> list(waiting({"f": 3, "g": 1}, {"f": ("gpu=1", "gpu=2")}, [has]))
    [('3 tasks of f wait for gpu=1', 'gpu=1', True),
     ('3 tasks of f wait for gpu=2', 'gpu=2', False)]
    """
    for name, texts in asking.items():
        for text in texts if counts.get(name) else ():
            asks = Resources.of(text)
            count = counts[name]
            who = f"1 task of {name} waits" if count == 1 else ""
            who = who or f"{count} tasks of {name} wait"
            yield (
                f"{who} for {text}",
                text,
                any(not asks.lacking(has) for has in offers),
            )


def for_whom(
    counts: Mapping[str, int], asking: Mapping[str, Sequence[str]], has: Resources
) -> dict[str, int]:
    """Return how many tasks a command may run that has something, by function.

    Of functions of one name that ask for this and that, all count if some may be run.

    Examples
    --------
    >>> counts, asking = {"f": 3, "g": 1, "h": 0}, {"f": ("gpu=1",)}
    >>> for_whom(counts, asking, Resources.of("gpu=1"))
    {'f': 3, 'g': 1}
    >>> for_whom(counts, asking, Resources())
    {'g': 1}
    """

    def may_run(name: str) -> bool:
        texts = asking.get(name, ("",))
        return any(not Resources.of(text).lacking(has) for text in texts)

    return {name: n for name, n in counts.items() if n and may_run(name)}


def nobody_has(
    counts: Mapping[str, int],
    asking: Mapping[str, Sequence[str]],
    has: Resources,
    instead: str = "",
) -> str:
    """Return what to say of a run that ended because of what its workers do not have.

    Examples
    --------
    >>> nobody_has({"f": 1}, {"f": ("gpu=2",)}, Resources.of("gpu=1"))
    '1 task of f waits for gpu=2, and no worker that is alive has it (those of this run
     have gpu=1): start some with `tg execute --resources gpu=2`'
    """
    lacking = [
        (who, text) for who, text, had in waiting(counts, asking, [has]) if not had
    ]
    if not lacking:
        return "tasks wait for resources, and no worker that is alive has them"
    mine = f"have {has}" if has else "have none"
    instead = instead or f"`tg execute --resources {lacking[0][1]}`"
    return (
        f"{'; '.join(who for who, _ in lacking)}, and no worker that is alive has it "
        f"(those of this run {mine}): start some with {instead}"
    )
