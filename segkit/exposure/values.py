"""Grey values changed one by one: stretched, bent, inverted, of another dtype."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Array

Dtype: TypeAlias = Literal["bool", "uint8", "uint16", "int16", "float32", "float64"]

_CONVERSIONS = {
    "bool": "img_as_bool",
    "uint8": "img_as_ubyte",
    "uint16": "img_as_uint",
    "int16": "img_as_int",
    "float32": "img_as_float32",
    "float64": "img_as_float64",
}

_BITS = {"uint8": 8, "uint16": 16, "int16": 15}


def _nowhere(ndim: int, **_: Any) -> tuple[int, ...]:
    return (0,) * ndim


def _rescaling_reach(ndim: int, *, in_range: Any, **_: Any) -> tuple[int, ...] | None:
    return None if in_range is None else (0,) * ndim


@known_as("segkit")
@declare_reach(_rescaling_reach)
def rescale_intensity(
    image: ArrayLike,
    in_range: tuple[float, float] | None = None,
    out_range: tuple[float, float] | None = None,
) -> Array:
    """Stretch grey values from one range to another; what lies outside is cut.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    in_range : (float, float), optional
        Lowest and highest value before. By default those of the whole image: then no
        halo is large enough, and a pipeline runs the step on the whole image. With
        numbers, each voxel is by itself.
    out_range : (float, float), optional
        What they become. By default the range of the dtype; of floats 0 to 1, or -1
        to 1 if `in_range` begins below 0.

    Returns
    -------
    ndarray, shape of `image`
        Of its dtype; float64 with `out_range` (float32 of floats of up to 32 bits). By
        `skimage.exposure.rescale_intensity`.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or a range is not two finite numbers,
        the lower one first.

    Examples
    --------
    >>> import numpy as np
    >>> rescale_intensity(np.array([10, 20, 60], np.uint8), (10, 50))
    array([  0,  63, 255], dtype=uint8)
    """
    exposure: Any = import_module("skimage.exposure")

    array = checks.as_image(image)
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    before = (
        (float(array.min()), float(array.max()))
        if in_range is None
        else _as_range(in_range, "in_range")
    )
    after: Any = np.dtype(array.dtype.newbyteorder("=")).type
    if out_range is not None:
        after = _as_range(out_range, "out_range")
    elif array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        raise TypeError(
            f"image has dtype {array.dtype}, whose range floats do not tell apart; give"
            " out_range, or convert the image by .astype"
        )
    if before[0] == before[1]:
        before = (before[0], before[0] + 1.0)  # of one value only: it is the lowest
    native = checks.native(array)
    found: Array = exposure.rescale_intensity(native, before, after)
    return found


def _as_range(given: Any, name: str) -> tuple[float, float]:
    if np.ndim(given) != 1 or len(given) != 2:
        raise ValueError(f"{name} is {given!r}; give the lowest and the highest value")
    low, high = (checks.as_finite(value, name=name) for value in given)
    if low > high:
        raise ValueError(f"{name} is {given}; give the lower value first")
    return low, high


@known_as("segkit")
@declare_reach(_nowhere)
def adjust_gamma(image: ArrayLike, gamma: float = 1.0, *, gain: float = 1.0) -> Array:
    """Raise grey values, as a share of the range of the dtype, to a power.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Integer or float, none below 0. The range of floats is 0 to 1.
    gamma : float
        The power, from 0 on: above 1 makes darker.
    gain : float
        What the result is multiplied by.

    Returns
    -------
    ndarray, dtype and shape of `image`
        By `skimage.exposure.adjust_gamma`; integers are rounded, and end where their
        dtype does.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, holds values below 0, or `gamma` is.

    Examples
    --------
    >>> import numpy as np
    >>> adjust_gamma(np.array([0.0, 0.5, 1.0]), 2)
    array([0.  , 0.25, 1.  ])
    """
    power = checks.as_finite(gamma, name="gamma", least=0)
    return _bent(image, "adjust_gamma", power, _gain(gain))


@known_as("segkit")
@declare_reach(_nowhere)
def adjust_log(image: ArrayLike, gain: float = 1.0, *, inverse: bool = False) -> Array:
    """Make dark grey values brighter by the logarithm of one plus their share.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Integer or float, none below 0. The range of floats is 0 to 1.
    gain : float
        What the result is multiplied by.
    inverse : bool
        Make them darker, by a power of two.

    Returns
    -------
    ndarray, dtype and shape of `image`
        By `skimage.exposure.adjust_log`; integers are rounded, and end where their
        dtype does.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or holds values below 0.

    Examples
    --------
    >>> import numpy as np
    >>> adjust_log(np.array([0.0, 0.5, 1.0])).round(2)
    array([0.  , 0.58, 1.  ])
    """
    return _bent(image, "adjust_log", _gain(gain), bool(inverse))


@known_as("segkit")
@declare_reach(_nowhere)
def adjust_sigmoid(
    image: ArrayLike, cutoff: float = 0.5, gain: float = 10.0, *, inverse: bool = False
) -> Array:
    """Raise the contrast about one grey value by a sigmoid curve.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Integer or float, none below 0. The range of floats is 0 to 1.
    cutoff : float
        The grey value, as a share of the range, which becomes half of it.
    gain : float
        How steep the curve is.
    inverse : bool
        Whether bright and dark change places.

    Returns
    -------
    ndarray, dtype and shape of `image`
        By `skimage.exposure.adjust_sigmoid`; integers are rounded, and end where their
        dtype does.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or holds values below 0.

    Examples
    --------
    >>> import numpy as np
    >>> adjust_sigmoid(np.array([0.0, 0.5, 1.0])).round(2)
    array([0.01, 0.5 , 0.99])
    """
    middle = checks.as_finite(cutoff, name="cutoff")
    return _bent(image, "adjust_sigmoid", middle, _gain(gain), bool(inverse))


def _bent(image: ArrayLike, curve: str, *arguments: Any) -> Array:
    """Return an image of which scikit-image has bent the share of the range.

    It takes floats, for what goes beyond the range of integers it lets wrap around.
    """
    exposure: Any = import_module("skimage.exposure")
    array = _positive(image)
    bend = getattr(exposure, curve)
    if array.dtype.kind == "f":
        of_floats: Array = bend(array, *arguments)
        return of_floats
    largest = np.iinfo(array.dtype).max
    share = np.clip(bend(array / largest, *arguments), 0, 1)
    if array.dtype.itemsize < 8:
        whole: Array = np.rint(share * largest).astype(array.dtype)
        return whole
    raise TypeError(
        f"image has dtype {array.dtype}, of whose range no image fills a share that"
        " floats tell apart; convert it first: rescale_intensity(...), or .astype"
    )


def _gain(gain: Any) -> float:
    return checks.as_finite(gain, name="gain")


def _positive(image: ArrayLike) -> Array:
    array = checks.native(checks.as_image(image))
    if array.dtype.kind == "b":
        raise TypeError("image is boolean, but grey values are expected")
    if array.min() < 0:
        raise ValueError(
            "image holds values below 0, which have no power; subtract the lowest,"
            " or use rescale_intensity"
        )
    return array


@known_as("segkit")
@declare_reach(_nowhere)
def invert(image: ArrayLike) -> Array:
    """Make bright dark, and dark bright.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.

    Returns
    -------
    ndarray, dtype and shape of `image`
        The largest value of the dtype minus each voxel; -1 minus signed integers, 1
        minus floats; not, of booleans. By `skimage.util.invert`.

    Examples
    --------
    >>> import numpy as np
    >>> invert(np.array([0, 55, 255], np.uint8))
    array([255, 200,   0], dtype=uint8)
    """
    util: Any = import_module("skimage.util")

    found: Array = util.invert(checks.native(checks.as_image(image)))
    return found


@known_as("segkit")
@declare_reach(_nowhere)
def convert(image: ArrayLike, dtype: Dtype | np.dtype[Any] | type[np.generic]) -> Array:
    """Return an image of another dtype, its range stretched to that of the new one.

    To keep the numbers as they are, use ``image.astype(dtype)``.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite. Floats are from -1 to 1.
    dtype : {"bool", "uint8", "uint16", "int16", "float32", "float64"}
        The new one, or numpy's own of that name. The range of floats is 0 to 1 (-1 to 1
        of signed integers).

    Returns
    -------
    ndarray of that dtype, shape of `image`
        By `skimage.util.img_as_ubyte` and the like, which does not stretch integers
        that fit the new dtype as they are; this does, so that tiles are alike.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, the dtype unknown, or a float beyond
        -1 to 1; or integers are of 32 bits or more, whose range images do not fill.

    Examples
    --------
    >>> import numpy as np
    >>> convert(np.array([0, 51, 255], np.uint8), "float64")
    array([0. , 0.2, 1. ])
    """
    util: Any = import_module("skimage.util")
    array = checks.native(checks.as_image(image))
    name: Any = dtype
    if isinstance(dtype, np.dtype) or (
        isinstance(dtype, type) and issubclass(dtype, np.generic)
    ):
        name = np.dtype(dtype).name
    checks.one_of(name, get_args(Dtype), name="dtype")
    if array.dtype.kind in "iu":
        if array.dtype.name not in _BITS:
            raise TypeError(
                f"image has dtype {array.dtype}, whose range images do not fill; use"
                " rescale_intensity with in_range and out_range, or .astype"
            )
        if name in _BITS:
            return _with_bits(array, name)
    elif array.dtype.kind == "f" and name not in ("float32", "float64"):
        extreme = max(abs(float(array.min())), abs(float(array.max())))
        if extreme > 1:
            raise ValueError(
                f"image holds floats up to {extreme:g}, but only those from -1 to 1"
                " have a place in another dtype's range; use rescale_intensity first"
            )
    found: Array = getattr(util, _CONVERSIONS[name])(array)
    return found


def _with_bits(image: Array, dtype: str) -> Array:
    """Return integers with the bits of another dtype: 255 of 8 are 65,535 of 16.

    scikit-image leaves an image as it is whose values all fit, which a dark tile's may.
    """
    before, after = _BITS[image.dtype.name], _BITS[dtype]
    if before == after:
        return image.astype(dtype)
    wide = np.maximum(image, 0).astype(np.int64)
    if after > before:  # the same bits once more, as often as there is place
        times = -(-after // before)
        wide = wide * ((2 ** (times * before) - 1) // (2**before - 1))
        before *= times
    return (wide >> (before - after)).astype(dtype)
