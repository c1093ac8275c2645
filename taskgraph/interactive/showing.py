"""Any value as a notebook shows it: arrays as pictures, dicts of columns as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.displays.display import display
from taskgraph.displays.markup import standing_alone
from taskgraph.names import known_as
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    from taskgraph.displays.display import Display


@known_as("taskgraph")
class Shown:
    """A value that shows itself as what it is; made by `show`."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return f"<{self._shown.kind}: {self._shown.summary}>"

    def _repr_html_(self) -> str:
        return standing_alone(self._shown.html())


@known_as("taskgraph")
def show(what: Any) -> Shown:
    """Return a value, or the result of a task, so that a notebook shows what it is.

    An array is a picture, a volume, or a curve; labels are coloured; a dict of columns,
    a list of dicts and a data frame are tables. Of what is huge a part is looked at.

    Parameters
    ----------
    what : object
        Anything; tasks in it are replaced by their results.

    Raises
    ------
    NoResultError
        A task has no result yet.

    Examples
    --------
    >>> import numpy as np
    >>> show(np.eye(16, dtype=bool))
    <picture: bool 16 x 16, mask: white is True>
    >>> show({"label": [1, 2], "area": [3.5, 4.0]})
    <table: dict of columns, 2 rows, 2 columns>
    """
    return Shown(display(value(what)))
