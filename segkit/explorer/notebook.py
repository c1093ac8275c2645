"""The explorer in a cell of a notebook: a frame, served by this process."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from html import escape
from typing import TYPE_CHECKING, Any

from segkit.names import known_as

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.arrays import Array
    from segkit.io import Image
    from segkit.pipeline.pipeline import Pipeline

_HEIGHT = 640


@known_as("segkit")
class Explored:
    """An explorer that is served until `close`, or until Python ends.

    Attributes
    ----------
    address : str
        Where a browser finds it; whoever has it may use it.
    """

    def __init__(self, address: str, closing: ExitStack) -> None:
        self.address = address
        self._closing = closing
        atexit.register(self.close)

    def close(self) -> None:
        """Serve it no more."""
        atexit.unregister(self.close)
        self._closing.close()

    def __repr__(self) -> str:
        return f"Explored({self.address!r})"

    def _repr_html_(self) -> str:
        address = escape(self.address)
        return (
            f'<iframe src="{address}" width="100%" height="{_HEIGHT}"'
            ' style="border:0" title="segkit explorer"></iframe>'
            f'<p><a href="{address}" target="_blank">The explorer in a window of its'
            " own</a>; it is there as long as Python runs.</p>"
        )


@known_as("segkit")
def explore(
    image: Array | Image | str | Path,
    pipeline: Pipeline | str | Path | None = None,
    *,
    reference: Array | str | Path | None = None,
    preset: str | None = None,
    **options: Any,
) -> Explored:
    """Explore an image in a cell of a notebook, as ``segkit explore`` does outside.

    Parameters
    ----------
    image : ndarray, Image or path
        A plane or a volume.
    pipeline : Pipeline or path, optional
        The steps to begin with.
    reference : ndarray or path, optional
        Labels to compare with.
    preset : str, optional
        A pipeline to begin with, such as ``'random_walker'``.
    **options
        ``axes``, ``out``, ``cache`` (megabytes), ``workers`` and ``trust``, as the
        options of ``segkit explore``.

    Returns
    -------
    Explored
        Shows itself as a frame. The browser has to run on this machine, or see its
        port through a tunnel.

    Examples
    --------
    >>> import numpy as np
    >>> page = explore(np.eye(32), preset="threshold")
    >>> page.address.startswith("http://127.0.0.1:")
    True
    >>> page.close()
    """
    from segkit.explorer.opening import require_web

    require_web()
    from segkit.explorer.exploring import explorer_of
    from taskgraph.extending import serving

    explorer = explorer_of(
        image, pipeline, reference=reference, preset=preset, **options
    )
    closing = ExitStack()
    closing.callback(explorer.close)
    served = closing.enter_context(serving(explorer.site(framed=True)))
    return Explored(served.address, closing)
