"""What columns of Arrow are known by: arrays of numpy, whatever their chunks are."""

from __future__ import annotations

import sys
from typing import Any


def arrow_state(column: Any) -> dict[str, object]:
    """Return the values of a chunked array, and where they are missing.

    Numbers and texts as arrays of numpy; nested values and decimals as Python objects.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Its type is known otherwise: it is no part of what is returned.
    """
    numpy, pyarrow = sys.modules["numpy"], sys.modules["pyarrow"]
    types, whole = pyarrow.types, column.combine_chunks()
    if isinstance(whole, pyarrow.ChunkedArray):  # what combine_chunks makes of no chunk
        whole = pyarrow.concat_arrays(whole.chunks)
    kind = whole.type
    if any(is_kind(kind) for is_kind in _texts_of(types)):
        return _texts(whole, numpy)
    if types.is_temporal(kind) and not types.is_interval(kind):
        whole = whole.view(f"int{kind.bit_width}")
    elif not any(is_kind(kind) for is_kind in _numbers_of(types)):
        return {"objects": whole.to_pylist()}
    missing = numpy.asarray(whole.is_null())
    if whole.null_count:
        whole = whole.fill_null(False if types.is_boolean(kind) else 0)
    return {"data": whole.to_numpy(zero_copy_only=False), "missing": missing}


def _texts_of(types: Any) -> tuple[Any, ...]:
    texts = types.is_string, types.is_large_string
    return *texts, types.is_binary, types.is_large_binary


def _numbers_of(types: Any) -> tuple[Any, ...]:
    return types.is_boolean, types.is_integer, types.is_float32, types.is_float64


def _texts(whole: Any, numpy: Any) -> dict[str, object]:
    """Return the lengths of texts in bytes (-1 for none), and the bytes of all."""
    import pyarrow.compute

    lengths = pyarrow.compute.binary_length(whole).fill_null(-1)
    if whole.null_count:  # what is missing may have bytes all the same
        whole = whole.fill_null(b"" if "binary" in str(whole.type) else "")
    long = "large" in str(whole.type)
    _, offsets, data = whole.buffers()
    places = numpy.frombuffer(offsets, "<i8" if long else "<i4")[whole.offset :]
    first, last = (places[0], places[len(whole)]) if len(whole) else (0, 0)
    raw = numpy.frombuffer(data or b"", numpy.uint8)[first:last]
    return {"lengths": lengths.to_numpy(zero_copy_only=False), "bytes": raw}
