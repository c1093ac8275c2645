"""A lazy image: its shape, axes and spacing are known, its voxels are read by box."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.arranged.views import at, without
from segkit.io.axes import how_to_choose
from segkit.io.calibration import (
    SPATIAL,
    UNKNOWN_UNIT,
    complete_spacing,
    complete_units,
    in_one_unit,
    in_unit,
    is_length,
    known_in_part,
    one_unit,
)
from segkit.io.errors import ColourError, ImageRequestError
from segkit.io.sources import Grey, Measured, brief_of, key_of, require_same, resolve
from segkit.names import known_as
from segkit.notebook.thumbnail import thumbnail_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.io.options import OpenOptions
    from segkit.io.sources import Region, Source


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class Image:
    """An image on disk, opened lazily and read by box.

    Behaves as an array where only shape, dtype and slices are needed, so that
    it can be handed to every tiled function.

    Attributes
    ----------
    path : str
        Where it lies.
    axes : str
        One letter per axis, such as ``'zyx'``; ``c`` is a channel, ``t`` time,
        ``s`` the samples of a colour picture (last).
    spacing : tuple of float
        Distance of two neighbouring voxels along each axis; 1 where unknown.
    units : tuple of str
        Unit of each spacing, such as ``'micrometer'``; ``'pixel'`` where unknown.
    levels : int
        Number of resolutions stored (pyramids); 1 for most.
    stated : bool
        Whether somebody said which axes these are or how far their voxels are apart:
        the file, or who opened it. Else they are told by their number.
    cubes : bool
        Whether somebody said that the spacing is 1, in no unit. The spacing is that
        also where nobody said any, and only the former is `spaced`.
    nodata : int, float or None
        Value of voxels that are no measurement, as the file says. Whoever computes
        with such a voxel is refused (`measured`).
    channels : tuple of str
        Names along ``c``, '' of one that has none; empty if nobody names any.
    asked, seen
        For keys: what it was opened by; paths and digests of its files, once known.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, segkit
    >>> path = pathlib.Path(tempfile.mkdtemp(), "volume.npy")
    >>> np.save(path, np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    >>> image = segkit.open_image(path, spacing=(2, 0.5, 0.5))
    >>> image.shape, image.axes, image.spacing
    ((2, 3, 4), 'zyx', (2.0, 0.5, 0.5))
    >>> image.read((slice(1, 2), slice(0, 2), slice(0, 2)))
    array([[[12, 13],
            [16, 17]]], dtype=uint8)
    >>> int(np.asarray(image).sum())
    276
    """

    path: str
    source: Source
    axes: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    levels: int = 1
    stated: bool = field(default=True, compare=False)
    cubes: bool = field(default=False, compare=False)
    nodata: float | None = None
    channels: tuple[str, ...] = ()
    asked: OpenOptions | None = field(default=None, compare=False, repr=False)
    seen: list[tuple[str, str]] = field(default_factory=list, compare=False, repr=False)
    _repr_html_ = thumbnail_html

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis, in the order of `axes`."""
        return tuple(int(n) for n in self.source.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel, in the machine's byte order."""
        # By its text: C has two types of 64 bits, and zarr knows one of them.
        return np.dtype(self.source.dtype.str).newbyteorder("=")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole image in memory."""
        return self.size * self.dtype.itemsize

    def read(self, box: Region = ...) -> NDArray[Any]:
        """Return the voxels of `box` as a C-contiguous array.

        Parameters
        ----------
        box : Box, or slices and integers as in numpy
            Where; everything when left out. Steps other than 1 are refused.

        Returns
        -------
        ndarray
            In the machine's byte order. It may be a read-only view of a
            memory-mapped file.

        Raises
        ------
        ImageRequestError
            If the box has another number of axes or reaches beyond the image.
        """
        slices, drop = resolve(self.path, box, self.shape)
        voxels = np.asarray(self.source.read(slices))
        voxels = np.ascontiguousarray(voxels, dtype=self.dtype)
        if not drop:
            return voxels
        return voxels.reshape([n for k, n in enumerate(voxels.shape) if k not in drop])

    def __getitem__(self, box: Region) -> NDArray[Any]:
        return self.read(box)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        if copy is False:
            raise ImageRequestError(self.path, "cannot become an array without reading")
        voxels = self.read()
        if dtype is not None and dtype != voxels.dtype:
            return voxels.astype(dtype)
        return voxels if voxels.flags.writeable else voxels.copy()

    def select(self, **index: int | str) -> Image:
        """Return the image at one index of the named axes, still lazy.

        A channel may be given by its name: ``select(c="DAPI")``.

        Raises
        ------
        ImageRequestError, TypeError
            If there is no such axis or the index lies outside it, or is no integer; if
            not exactly one channel has the name.

        Examples
        --------
        >>> from segkit.io import as_image
        >>> import numpy as np
        >>> image = as_image(np.zeros((2, 3, 8, 8)), axes="tcyx")
        >>> image.select(t=1, c=0).axes
        'yx'
        """
        image: Image = self
        for name, position in index.items():
            image = at(image, name, position)
        return image

    def to_grey(self) -> Image:
        """Return the luminance of a colour picture, lazily, of the same dtype.

        An alpha channel is ignored. An image without colour is returned as it is.

        Raises
        ------
        ColourError
            If the samples are neither grey with alpha, nor RGB, nor RGBA, or there are
            channels instead.

        Examples
        --------
        >>> from segkit.io import as_image
        >>> import numpy as np
        >>> picture = as_image(np.full((1, 1, 3), 100, np.uint8), axes="yxs")
        >>> picture.to_grey().read()
        array([[100]], dtype=uint8)
        """
        axis = self.axes.find("s")
        if axis < 0:
            channels = self.axes.find("c")
            if channels >= 0 and self.shape[channels] > 1:  # of inks, or of stains
                raise ColourError(self.path, how_to_choose(self, "c"))
            return self
        if self.shape[axis] not in (1, 2, 3, 4):
            raise ColourError(
                self.path,
                f"{self.shape[axis]} samples are not a colour; choose one by channel=",
            )
        grey: Image = without(self, axis, Grey(self.measured().source, axis))
        return replace(grey, nodata=None)

    def respaced(
        self,
        spacing: Sequence[float] | None = None,
        units: str | Sequence[str] | None = None,
    ) -> Image:
        """Return the image with another spacing, or other units of the one it has.

        Examples
        --------
        >>> from segkit.io import as_image
        >>> import numpy as np
        >>> as_image(np.zeros((4, 5))).respaced((0.5, 0.2), "um")
        <Image <array> float64 (4, 5) (y: 0.5 micrometer, x: 0.2 micrometer)>
        """
        said = spacing is not None
        if spacing is not None:
            steps = complete_spacing(self.path, self.axes, spacing)
        else:
            steps, units = self.spacing, self.units if units is None else units
        named = complete_units(self.path, self.axes, units)
        steps, named = in_one_unit(self.axes, steps, named)
        image = replace(self, spacing=steps, units=named, cubes=False)
        cubes = (said or self.cubes) and not image.spaced
        return replace(image, stated=self.stated or said, cubes=cubes)

    @property
    def spaced(self) -> bool:
        """Whether anybody said how far voxels are apart along an axis of space."""
        unknown = (1.0, UNKNOWN_UNIT)
        known = zip(self.axes, self.spacing, self.units, strict=True)
        return self.cubes or any(
            (step, unit) != unknown for name, step, unit in known if name in SPATIAL
        )

    @property
    def unit(self) -> str:
        """Unit of the spacing along the axes of space; ``'pixel'`` where unknown."""
        units = [
            unit if name in SPATIAL else UNKNOWN_UNIT
            for name, unit in zip(self.axes, self.units, strict=True)
        ]
        return one_unit(units, self.shape)

    def physical_spacing(self, unit: str | None = None) -> tuple[float, ...]:
        """Return the spacing, to measure with, in a unit or in its own.

        Raises
        ------
        ImageRequestError
            If it is known along some axes of space and not along others, or in units
            that cannot be told in each other, so that volumes and distances would mix
            pixels or inches with a length; if it cannot be told in the unit.

        Examples
        --------
        >>> from segkit.io import as_image
        >>> import numpy as np
        >>> units = ("pixel", "micrometer", "micrometer")
        >>> image = as_image(np.zeros((4, 5, 6)), spacing=(1, 0.2, 0.2), units=units)
        >>> image.physical_spacing()
        Traceback (most recent call last):
        segkit.io.ImageRequestError: <array>: has a spacing in micrometer along 'yx'
        and none along 'z'; give spacing= for all axes
        """
        lacking = known_in_part(self.axes, self.units, self.shape)
        if lacking:
            raise ImageRequestError(
                self.path, f"has {lacking}; give spacing= for all axes"
            )
        if unit in (None, self.unit):
            return self.spacing
        if not (is_length(self.unit) and is_length(str(unit))):
            raise ImageRequestError(
                self.path,
                f"the images have spacings in {self.unit} and {unit}; give spacing=",
            )
        return tuple(
            in_unit(step, own, str(unit)) if is_length(own) else step
            for step, own in zip(self.spacing, self.units, strict=True)
        )

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of files beside the one at `path` that voxels lie in, if any do."""
        source: Any = self.source
        while hasattr(source, "source"):
            source = source.source
        return tuple(getattr(source, "files", ()))

    def measured(self, fill: float | None = None) -> Image:
        """Return the image with measurements only, to compute with.

        Parameters
        ----------
        fill : int or float, optional
            Takes the place of what the file says is no data; without it, reading such a
            voxel raises `ImageRequestError`.

        Examples
        --------
        >>> from segkit.io import as_image
        >>> import numpy as np
        >>> from dataclasses import replace
        >>> image = replace(as_image(np.array([[7, -1]])), nodata=-1)
        >>> image.read(), image.measured(fill=0).read()
        (array([[ 7, -1]]), array([[7, 0]]))
        >>> image.measured().read()
        Traceback (most recent call last):
        segkit.io.ImageRequestError: <array>: holds no data (the value -1) in ...
        """
        if self.nodata is None:
            return self
        source = Measured(self.source, self.path, self.nodata, fill)
        return replace(self, source=source, nodata=None)

    def spatial(self) -> Image:
        """Return the image with space axes only, for a function that wants grey.

        Axes of time, channel and colour that have length 1 are dropped.

        Raises
        ------
        ColourError
            If such an axis is longer: which one is meant has to be said.

        Examples
        --------
        >>> from segkit.io import as_image
        >>> import numpy as np
        >>> as_image(np.zeros((1, 1, 4, 8, 8)), axes="tczyx").spatial().shape
        (4, 8, 8)
        >>> as_image(np.zeros((8, 8, 3)), axes="yxs", path="a.png").spatial()
        Traceback (most recent call last):
        segkit.io.ColourError: a.png: is a colour picture (axes 'yxs', shape
        (8, 8, 3)) where one grey image is expected; choose one by channel=0, ...
        """
        image = self
        for name in [name for name in self.axes if name not in SPATIAL]:
            if image.shape[image.axes.index(name)] != 1:
                raise ColourError(self.path, how_to_choose(image, name))
            image = at(image, name, 0)
        return image.measured()

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows: content of the files, and what is chosen of it."""
        return key_of(self)

    def __taskgraph_files__(self) -> list[str]:
        """Return its files, which `tg status` looks at."""
        return [path for path, _ in self.seen]

    def __taskgraph_value__(self) -> Image:
        """Return itself, if its files have the content that the key knows."""
        require_same(self)
        return self

    def __taskgraph_brief__(self) -> str:
        """Return which image it is, for lists of calls."""
        return brief_of(self)

    def __repr__(self) -> str:
        steps = ", ".join(
            f"{name}: {step:g} {unit}"
            for name, step, unit in zip(
                self.axes, self.spacing, self.units, strict=True
            )
        )
        return f"<Image {self.path} {self.dtype} {self.shape} ({steps})>"
