"""What of an image the steps of a pipeline take: space, or a movie on request.

An image with time or channels is never taken for a volume. A step that says its axes,
such as ``segment_nuclei(axes="tyx")``, takes each frame by itself; then all are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.io.calibration import SPATIAL
from segkit.pipeline.step_checks import axes_said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.io import Image
    from segkit.pipeline.steps import Step


def taken_by(steps: Sequence[Step], image: Image) -> Image:
    """Return an image as the steps of a pipeline take it.

    Parameters
    ----------
    steps
        Of a pipeline.
    image
        Opened, of any axes; those of length 1 are dropped that no step says.

    Raises
    ------
    ColourError
        If an axis is left that is not of space, and no step takes it apart.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.io import as_image
    >>> from segkit.pipeline import label, segment_nuclei
    >>> movie = as_image(np.zeros((5, 1, 8, 9)), axes="tcyx")
    >>> taken_by([segment_nuclei(axes="tyx"), label()], movie).axes
    'tyx'
    >>> taken_by([label()], movie)
    Traceback (most recent call last):
    segkit.io.ColourError: <array>: has several time points ...
    """
    said = axes_said(steps)
    if not {*said} - {*SPATIAL} or not image.stated:
        return image.spatial()
    whole = image
    for name in image.axes:
        if name not in SPATIAL + said and whole.shape[whole.axes.index(name)] == 1:
            whole = whole.select(**{name: 0})
    return whole.measured() if whole.axes == said else image.spatial()
