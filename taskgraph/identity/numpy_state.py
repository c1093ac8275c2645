"""What arrays, scalars and dtypes of numpy are known by."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UnhashableError
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = "?biufcmMSUVO"
_EXTENDED_SIZE = 10
"""Bytes of an x86 long double that are its value; the rest is padding."""
# What a masked array keeps for itself in its `__dict__`.
_OF_MASKED = (
    *("_mask", "_fill_value", "_hardmask", "_sharedmask", "_isfield"),
    *("_baseclass", "_optinfo", "_basedict"),
)
_OF_MEMMAP = ("_mmap", "filename", "mode", "offset")


def dtype_state(dtype: Any, *, ordered: bool = True) -> object:
    """Return plain data that says everything about a dtype; a text for most.

    Parameters
    ----------
    dtype : dtype
        Of anything.
    ordered : bool
        Whether the order of bytes in a number is part of it. For an array it is none:
        it is how the array has its memory, and pickle makes it the machine's own.

    Raises
    ------
    UnhashableError
        It is not one of numpy's own.

    Examples
    --------
    >>> import numpy as np
    >>> dtype_state(np.dtype(float)), dtype_state(np.dtype("M8[25s]"))
    ('<f8', '<M8[25s]')
    >>> dtype_state(np.dtype(">f8")), dtype_state(np.dtype(">f8"), ordered=False)
    ('>f8', '<f8')
    """
    kind = dtype.kind
    ours = type(dtype).__module__ == "numpy.dtypes"
    if ours and kind in _PLAIN and dtype.names is None and dtype.metadata is None:
        return _text(dtype, ordered=ordered)
    if not ours or dtype.type.__module__ not in ("numpy", "builtins"):
        why = f"the dtype {dtype!r:.60} is not one of numpy's own; pass an array of one"
        raise UnhashableError("", f"{why}, with astype()")
    if kind == "T":
        missing = (dtype.na_object,) if hasattr(dtype, "na_object") else ()
        plain: object = "T", dtype.coerce, missing
    elif dtype.subdtype is not None:
        base, shape = dtype.subdtype
        plain = "of", dtype_state(base, ordered=ordered), shape
    elif dtype.names is not None:
        fields = tuple(
            _field_state(name, *dtype.fields[name], ordered=ordered)
            for name in dtype.names
        )
        aligned = dtype.isalignedstruct
        plain = dtype.str, fields, dtype.itemsize, aligned, dtype.type.__name__
    else:
        plain = _text(dtype, ordered=ordered)
    return plain if dtype.metadata is None else (plain, dict(dtype.metadata))


def _field_state(
    name: str, dtype: Any, offset: int, title: object = None, *, ordered: bool
) -> object:
    return name, dtype_state(dtype, ordered=ordered), offset, title


def _text(dtype: Any, *, ordered: bool) -> str:
    text = str(dtype.str)
    return text if ordered else text.replace(">", "<", 1)


def normal(array: Any, numpy: Any) -> Any:
    """Return an array of numbers in which equal numbers have equal bytes.

    Every NaN is the same one, whatever its sign and payload; the padding of long
    doubles, of which each has its own, is zero; the lowest byte of each comes first.
    The array itself if it is so already.

    Examples
    --------
    >>> import numpy as np
    >>> normal(np.array([-np.nan, 1.0]), np).tobytes().hex()
    '000000000000f87f000000000000f03f'
    """
    if array.dtype.str[0] == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "fc" or not array.size:
        return array
    extended = numpy.finfo(array.dtype).nmant == 63
    missing = numpy.isnan(array)
    if not extended and not missing.any():
        return array
    array = numpy.array(array, order="C", ndmin=1)
    plain = array.view(array.real.dtype) if kind == "c" else array
    plain[numpy.isnan(plain)] = numpy.nan
    if extended:
        raw = array.view(numpy.uint8).reshape(-1, size if kind == "f" else size // 2)
        raw[:, _EXTENDED_SIZE:] = 0
    return array


def numpy_encoder(kind: type, encoder: Any) -> Callable[[Any], bytes] | None:
    """Return what encodes the values of a type of numpy; None if it is no such type."""
    numpy = loaded("numpy")
    if numpy is None or str(kind.__module__).partition(".")[0] != "numpy":
        return None
    if kind is numpy.ndarray:
        return lambda array: encoder.array(array, numpy)
    if is_numpy_base(kind):
        return lambda value: _encode_scalar(value, encoder, numpy)
    if issubclass(kind, numpy.dtype):
        return lambda dtype: encoder.state("numpy", "dtype", dtype_state(dtype))
    if kind is numpy.memmap:
        return lambda array: _encode_mapped(array, encoder, numpy)
    if kind is numpy.busdaycalendar:
        return lambda days: encoder.state(
            "numpy", "busdaycalendar", (days.weekmask, days.holidays)
        )
    if kind is numpy.ma.MaskedArray:
        return lambda array: encoder.state(
            "numpy.ma", "MaskedArray", _masked_state(array, numpy)
        )
    if kind is type(numpy.ma.masked):
        return lambda _: encoder.state("numpy.ma", "masked", None)
    return None


def is_numpy_base(kind: type) -> bool:
    """Return whether a type is numpy's array, or one of its scalars."""
    numpy = loaded("numpy")
    if numpy is None or kind.__module__ != "numpy":
        return False
    return kind is numpy.ndarray or issubclass(kind, numpy.generic)


def numpy_base_state(value: Any) -> object:
    """Return the array or scalar in an object of a class that extends one of these."""
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.ndarray):
        return numpy.ndarray.view(value, numpy.ndarray)
    return numpy.asarray(value)[()]


def _encode_scalar(value: Any, encoder: Any, numpy: Any) -> bytes:
    dtype = value.dtype
    if dtype.hasobject or dtype.names is not None:
        return b"n" + bytes(encoder.array(numpy.asarray(value), numpy))
    raw = value.tobytes()
    if dtype.kind in "fc":
        raw = normal(numpy.asarray(value), numpy).tobytes()
    return b"n%bb%d:%b" % (encoder.below(dtype_state(dtype)), len(raw), raw)


def _encode_mapped(array: Any, encoder: Any, numpy: Any) -> bytes:
    """Encode an array in a mapped file: where its memory is says nothing of it."""
    more = _own_attributes(array, _OF_MEMMAP)
    plain = bytes(encoder.array(array.view(numpy.ndarray), numpy))
    if not more:
        return plain
    return bytes(encoder.state("numpy", "memmap", (array.view(numpy.ndarray), more)))


def _masked_state(array: Any, numpy: Any) -> tuple[object, ...]:
    """Return what a masked array consists of: data, mask, fill value, how hard it is.

    What lies under the mask is data as well: a function can look there.
    """
    no_mask = array._mask is numpy.ma.nomask  # noqa: SLF001 - `mask` makes one up
    return (
        numpy.ma.getdata(array, subok=True),
        None if no_mask else numpy.asarray(numpy.ma.getmask(array)),
        numpy.asarray(array.view().fill_value),  # of a view: looking would set it
        array.hardmask,
        _own_attributes(array, _OF_MASKED),
        dict(array._optinfo),  # noqa: SLF001 - what came along with the data
    )


def _own_attributes(array: Any, of_numpy: tuple[str, ...]) -> dict[str, Any]:
    """Return the attributes of an array object that numpy did not give it."""
    return {name: x for name, x in vars(array).items() if name not in of_numpy}
