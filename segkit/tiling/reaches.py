"""Declare, and probe, how far the result of a function depends on its image.

The reach of a function is the distance in voxels, along each axis, of the furthest
voxel on which the result at a voxel depends. Tiles with a halo of that reach give
exactly the result of the whole image.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from segkit import checks, extents
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from segkit.arrays import Array

P = ParamSpec("P")
R = TypeVar("R")
ReachRule: TypeAlias = Callable[..., tuple[int, ...] | None]

_ATTRIBUTE = "__segkit_reach__"
_MASK_SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Foreground in the masks of noise that are probed."""


@known_as("segkit")
class HaloWarning(UserWarning):
    """A halo is smaller than the reach of the function that is run on tiles."""


@known_as("segkit")
class UnknownReachError(ValueError):
    """The reach of a function depends on the image that it is given."""


@known_as("segkit")
def declare_reach(rule: ReachRule) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the reach of an array function, as a decorator.

    Parameters
    ----------
    rule
        Called with the number of dimensions and, by keyword, all parameters of the
        function but its first (defaults filled in); returns the reach per axis in
        voxels, or None where no halo is large enough.

    Examples
    --------
    >>> @declare_reach(lambda ndim, *, radius: (radius,) * ndim)
    ... def blur(image, radius=1):
    ...     return image
    >>> reach(blur, 3, radius=2)
    (2, 2, 2)
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        setattr(function, _ATTRIBUTE, rule)
        return function

    return declare


def unlimited(_ndim: int, **_: Any) -> None:
    """Declare, as a rule of reach, that no halo is large enough."""
    return


def reach(
    f: Callable[..., Any], ndim: int, /, **parameters: Any
) -> tuple[int, ...] | None:
    """Return the reach that a function declares for given parameters.

    Parameters
    ----------
    f
        Function of segkit, one decorated by `declare_reach`, or a `functools.partial`
        of such a function.
    ndim
        Number of axes of the image.
    **parameters
        The parameters with which `f` will be called.

    Returns
    -------
    tuple of int or None
        Voxels per axis; None if the result can depend on any voxel of the image, so
        that tiles with a halo are not exact.

    Raises
    ------
    TypeError
        If `f` declares no reach.
    UnknownReachError
        If the reach depends on the image (say, a window relative to its size).
    TypeError, ValueError
        If `f` cannot take the parameters.

    Examples
    --------
    >>> from segkit.filters import gaussian
    >>> reach(gaussian, 2, sigma=(2, 1))
    (8, 4)
    >>> reach(functools.partial(gaussian, sigma=1), 3)
    (4, 4, 4)
    """
    function, bound = _unwrap(f)
    if not declares_reach(f):
        raise TypeError(
            f"{_name(f)} declares no reach; give a halo, or decorate the function with "
            "segkit.declare_reach"
        )
    found: tuple[int, ...] | None = getattr(function, _ATTRIBUTE)(
        ndim, **_all_parameters(function, {**bound, **parameters})
    )
    return found


def declares_reach(f: Callable[..., Any]) -> bool:
    """Return whether a function declares its reach."""
    return hasattr(_unwrap(f)[0], _ATTRIBUTE)


def halo_for(
    f: Callable[..., Any], ndim: int, halo: int | Sequence[int] | None
) -> tuple[int, ...]:
    """Return the halo to use for `f`: `halo`, or the declared reach where it is None.

    Warns
    -----
    HaloWarning
        If `halo` is smaller than the declared reach.
    """
    if halo is None:
        declared = reach(f, ndim)
        if declared is None:
            raise ValueError(
                f"{_name(f)} can depend on voxels at any distance, so that no halo "
                "makes its tiles exact; run it on the whole image, or accept seams "
                "by giving a halo"
            )
        return declared
    margins = checks.per_axis(halo, ndim, name="halo", least=0)
    if declares_reach(f):
        needed = reach(f, ndim)
        if needed is None or any(m < n for m, n in zip(margins, needed, strict=True)):
            _warn(f, margins, "unlimited" if needed is None else str(needed))
    return margins


@known_as("segkit")
def probe_reach(
    f: Callable[[Array], Array],
    ndim: int,
    *,
    dtype: DTypeLike = np.uint8,
    size: int = 33,
    seed: int = 0,
) -> tuple[int, ...]:
    """Measure how far changes of an image change the result of a function.

    Perturbs images of noise, of sparse dots and of blobs: single voxels, and all
    voxels beyond a plane; looks how far from the change the result changes (NaN that
    stays NaN is no change). What is seen is a lower bound of the reach: a function may
    depend on more than the probes bring to light.

    Parameters
    ----------
    f
        Takes an array and returns one of the same shape.
    ndim
        Number of axes of the images to try.
    dtype
        Their dtype.
    size
        Their length along each axis; a reach of more than `size - 2` is not seen
        whole. Memory and time grow with ``size ** ndim``.
    seed
        Seed of the random numbers.

    Returns
    -------
    tuple of int
        Greatest distance seen along each axis, in voxels.

    Examples
    --------
    >>> from segkit.morphology import dilation
    >>> probe_reach(lambda image: dilation(image, radius=2), 2)
    (2, 2)
    """
    axes = checks.as_integer(ndim, name="ndim", least=1)
    length = checks.as_integer(size, name="size", least=3)
    extents.require_room([length] * min(axes, 99), name="size")
    rng = np.random.default_rng(checks.as_integer(seed, name="seed"))
    kind = _real_dtype(dtype)
    found = np.zeros(axes, int)
    for image in _probe_images(axes, kind, length, rng):
        before = np.asarray(f(image))
        for changed, near, far in _perturbed(image, rng):
            after = np.asarray(f(changed))
            undefined = (before != before) & (after != after)  # NaN in both
            different = np.argwhere((after != before) & ~undefined)
            if different.size:
                distance = np.maximum(different - far, near - different)
                found = np.maximum(found, distance.max(axis=0))
    return tuple(int(d) for d in found)


@known_as("segkit")
def check_halo(
    f: Callable[[Array], Array],
    halo: int | Sequence[int],
    ndim: int,
    *,
    dtype: DTypeLike = np.uint8,
    seed: int = 0,
) -> tuple[int, ...]:
    """Warn if probing finds that a function reaches further than a halo.

    Parameters
    ----------
    f
        Takes an array and returns one of the same shape.
    halo
        The margin to check, in voxels.
    ndim, dtype, seed
        As in `probe_reach`.

    Returns
    -------
    tuple of int
        The reach that was seen.

    Warns
    -----
    HaloWarning
        If the reach seen is larger than `halo` on some axis.

    Examples
    --------
    >>> import warnings
    >>> from segkit.morphology import dilation
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     check_halo(lambda image: dilation(image, radius=3), 2, 2)
    (3, 3)
    >>> print(caught[0].message)
    <lambda> reaches (3, 3) voxels, further than the halo (2, 2): ...
    """
    axes = checks.as_integer(ndim, name="ndim", least=1)
    extents.require_room([9] * min(axes, 99), name="ndim")
    margins = checks.per_axis(halo, axes, name="halo", least=0)
    extents.require_room([2 * max(margins) + 9] * axes, name="halo")
    size = 2 * max(margins) + 9
    seen = probe_reach(f, ndim, dtype=dtype, size=size, seed=seed)
    if any(m < s for m, s in zip(margins, seen, strict=True)):
        _warn(f, margins, str(seen))
    return seen


def _unwrap(f: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    bound: dict[str, Any] = {}
    while isinstance(f, functools.partial):
        bound = {**f.keywords, **bound}
        f = f.func
    return f, bound


def _all_parameters(
    function: Callable[..., Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Return all parameters but the first, defaults filled in."""
    signature = inspect.signature(function)
    bound = signature.bind_partial(**given)
    bound.apply_defaults()
    image = next(iter(signature.parameters))
    return {name: v for name, v in bound.arguments.items() if name != image}


def _name(f: Callable[..., Any]) -> str:
    return getattr(_unwrap(f)[0], "__name__", repr(f))


def _warn(f: Callable[..., Any], halo: tuple[int, ...], needed: str) -> None:
    warnings.warn(
        f"{_name(f)} reaches {needed} voxels, further than the halo {halo}: results "
        "near the seams of tiles differ from those of the whole image",
        HaloWarning,
        stacklevel=3,
    )


def _real_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        kind = np.dtype(dtype)
    except (TypeError, ValueError):
        kind = np.dtype(object)
    if kind.kind not in "biuf":
        raise TypeError(f"dtype is {dtype!r}; give a real one, as 'uint8' or 'float32'")
    return kind


def _probe_images(
    ndim: int, dtype: np.dtype[Any], size: int, rng: np.random.Generator
) -> Iterator[Array]:
    low, high = _bounds(dtype)
    shape = (size,) * ndim
    if dtype.kind == "b":  # as a grey image has a mask at each of its levels
        yield from (rng.random(shape) < share for share in _MASK_SHARES)
    else:
        yield (low + rng.random(shape) * (high - low)).astype(dtype)
    for share in (0.02, 0.98):  # dots, and holes in what is otherwise full
        yield np.where(rng.random(shape) < share, high, low).astype(dtype)
    # Stripes two voxels wide connect far places, for what fills or follows.
    coordinate = np.indices(shape).sum(axis=0)
    yield np.where(coordinate % 4 < 2, high, low).astype(dtype)
    # A closed box; the voxel in the middle of the image, in its wall, is the leak.
    box = np.full(shape, low)
    wall = (slice(2, size // 2 + 1), *[slice(2, size - 2)] * (ndim - 1))
    box[wall] = high
    box[tuple(slice(s.start + 1, s.stop - 1) for s in wall)] = low
    yield box.astype(dtype)


def _perturbed(
    image: Array, rng: np.random.Generator
) -> Iterator[tuple[Array, NDArray[np.int_], NDArray[np.int_]]]:
    """Yield changed images with the first and last voxel of what was changed."""
    ndim, size = image.ndim, image.shape[0]
    low, high = _bounds(image.dtype)
    corners = itertools.islice(itertools.product((0, size - 1), repeat=ndim), 4)
    voxels = [(size // 2,) * ndim, *corners, *rng.integers(0, size, (4, ndim))]
    boxes = [(np.array(v), np.array(v)) for v in voxels]
    for axis, first in itertools.product(range(ndim), (False, True)):
        near, far = np.zeros(ndim, int), np.full(ndim, size - 1)
        # All but one or two planes at one side change: the reach shows on the rest.
        near[axis], far[axis] = (0, 1) if first else (size - 2, size - 1)
        boxes.append((near, far))
    for near, far in boxes:
        box = tuple(slice(a, b + 1) for a, b in zip(near, far, strict=True))
        for value in (low, high):
            changed = image.copy()
            changed[box] = value
            yield changed, near, far


def _bounds(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return 0, 1
    return 0, min(int(np.iinfo(dtype).max), 2**16 - 1)
