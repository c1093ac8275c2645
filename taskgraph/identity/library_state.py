"""What objects of other libraries are known by: each by a rule with a version.

A rule is for an exact type, so that what a later release of a library or a subclass
adds is not left out in silence; its version goes up when it says something else.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UnhashableError
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Callable

_SPARSE = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "coords"),
    "dia": ("data", "offsets"),
}
# What follows from the arrays, and is kept once somebody looked.
_FOLLOWS = ("_has_sorted_indices", "_has_canonical_format", "has_canonical_format")
_OF_IMAGE = ("im", "_im", "_mode", "_size", "palette", "info", "readonly", "_exif")
# What saving it leaves in it.
_OF_SAVING = ("encoderinfo", "encoderconfig", "_default_encoderinfo")


def library_encoder(kind: type, encoder: Any) -> Callable[[Any], bytes] | None:
    """Return what encodes the values of a library's type; None if there is no rule."""
    top = str(kind.__module__).partition(".")[0]
    if top == "scipy" and (name := _sparse_name(kind)):
        return lambda matrix: encoder.state(
            "scipy.sparse", name, (1, _sparse_state(matrix))
        )
    for module, name, state in _RULES:
        if top == module.partition(".")[0] and kind is getattr(loaded(module), name, 0):
            return lambda value: _by_rule(module, name, state(value), encoder)
    if top == "numpy" and kind is getattr(loaded("numpy.random"), "Generator", None):
        return lambda generator: _random_generator(generator, encoder)
    if top.startswith("pytz"):
        return lambda zone: encoder.state("pytz", "tzinfo", (1, zone.__reduce__()))
    pydantic = loaded("pydantic")
    if pydantic is not None and issubclass(kind, pydantic.BaseModel):
        return lambda model: b"O" + encoder.names.of(kind) + _model(model, encoder)
    return None


def _by_rule(module: str, name: str, state: object, encoder: Any) -> bytes:
    encoder.mutable = True
    encoded: bytes = encoder.state(module, name, (1, state))
    return encoded


def _random_generator(generator: Any, encoder: Any) -> bytes:
    """Encode a random generator: what it draws next, and what it would spawn."""
    bits = generator.bit_generator
    seed, kind = bits.seed_seq, type(bits)
    known = type(seed).__module__ == "numpy.random.bit_generator"
    if not (known and kind.__module__.startswith("numpy.random.")):
        raise UnhashableError("", "a random generator of another make; pass its seed")
    encoder.mutable = True
    parts = 1, kind.__name__, bits.state, _seeds(seed)
    encoded: bytes = encoder.state("numpy.random", "Generator", parts)
    return encoded


def _seeds(seed: Any) -> object:
    return seed.entropy, seed.spawn_key, seed.pool_size, seed.n_children_spawned


def _sparse_name(kind: type) -> str:
    """Return the name of a sparse array's or matrix's class, if there is a rule."""
    sparse = loaded("scipy.sparse")
    name = kind.__name__
    known = name.partition("_")[0] in _SPARSE
    return name if known and getattr(sparse, name, None) is kind else ""


def _sparse_state(matrix: Any) -> object:
    """Return the arrays that a sparse array or matrix consists of, as they are."""
    arrays = _SPARSE[matrix.format]
    own = {name: getattr(matrix, name) for name in arrays}
    kept = (*arrays, *_FOLLOWS, "_shape", "_coords")
    more = {name: x for name, x in vars(matrix).items() if name not in kept}
    return tuple(map(int, matrix.shape)), own, more


def _picture(image: Any) -> object:
    """Return what a picture in memory consists of: pixels, palette, what is known."""
    image.load()  # until then its palette may be another one
    palette = image.palette
    if palette is not None:
        palette = palette.mode, image.getpalette(palette.mode)
    content = image.mode, image.size, image.tobytes(), palette
    return *content, image.info, image.getexif().tobytes(), _set_on(image)


def _set_on(image: Any) -> dict[str, Any]:
    left_out = _OF_IMAGE + _OF_SAVING
    return {name: x for name, x in vars(image).items() if name not in left_out}


def of_picture(image: Any) -> dict[str, Any]:
    """Return the attributes of a picture that Pillow does not pickle.

    Of a palette it pickles red, green and blue, and nothing of one without colours.
    """
    image.load()
    plain = type(image) is sys.modules["PIL.Image"].Image
    held = _set_on(image) if plain else {}
    held.pop("_readonly", None)
    palette = image.palette
    if palette is not None:
        colours = image.getpalette(palette.mode)
        if palette.mode != "RGB" or not colours:
            held["palette"] = kept = palette.copy()
            kept.dirty = int(bool(colours))  # so that it is looked at once more
    return held


def _variable(variable: Any) -> object:
    """Return what an array with names consists of; reads it, if it is in a file."""
    return variable.dims, variable.data, variable.attrs, variable.encoding


def _variables(variables: Any) -> dict[Any, object]:
    return {name: _variable(one) for name, one in variables.items()}


def _index_names(indexes: Any) -> dict[Any, str]:
    """Return of which kinds indexes are; of these, coordinates say everything."""
    kinds = {name: type(index) for name, index in indexes.items()}
    for name, kind in kinds.items():
        if kind.__module__ != "xarray.core.indexes" or "Pandas" not in kind.__name__:
            why = f"the index of {name!r} is of another make; drop it (drop_indexes)"
            raise UnhashableError("", why)
    return {name: kind.__name__ for name, kind in kinds.items()}


def _named_array(array: Any) -> object:
    coordinates = _variables(array.coords.variables)
    own = array.name, _variable(array.variable)
    return *own, coordinates, _index_names(array.xindexes)


def _dataset(dataset: Any) -> object:
    own = _variables(dataset.variables), set(dataset.coords)
    return *own, dataset.attrs, dataset.encoding, _index_names(dataset.xindexes)


def _columns(frame: Any) -> object:
    return frame.shape, [_column(column) for column in frame.get_columns()]


def _column(column: Any) -> object:
    """Return name, type and values of a column of polars, and where it has none."""
    kind = column.dtype
    name = column.name, _column_type(kind)
    if kind.is_temporal() or str(kind).startswith("Enum"):
        column = column.to_physical()
    plain = column.dtype.is_numeric() or str(column.dtype) == "Boolean"
    if not plain or "128" in str(column.dtype) or kind.is_decimal():
        return *name, column.to_list()
    return *name, column.is_null().to_numpy(), column.fill_null(0).to_numpy()


def _column_type(kind: Any) -> object:
    """Return plain data that says everything about a type of a column."""
    what = str(kind.base_type())
    if what in ("Categorical", "Object", "Unknown"):
        why = f"a column of polars of type {what} has no stable hash; cast it"
        raise UnhashableError("", f"{why}, to Enum or String for example")
    if what == "Enum":
        return what, kind.categories.to_list()
    if what == "Struct":
        return what, [(one.name, _column_type(one.dtype)) for one in kind.fields]
    if kind.is_nested():
        return what, _column_type(kind.inner), getattr(kind, "shape", None)
    return str(kind)


def _model(model: Any, encoder: Any) -> bytes:
    """Encode a pydantic model: fields, what else it was given, what is private."""
    for name in ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__"):
        base = sys.modules["pydantic"].BaseModel
        if getattr(type(model), name) is not getattr(base, name):
            why = f"{type(model).__qualname__} has a {name} of its own"
            raise UnhashableError("", f"{why}; define __taskgraph_hash__()")
    parts = {
        "fields": vars(model),
        "given": model.__pydantic_fields_set__,
        "extra": model.__pydantic_extra__,
        "private": model.__pydantic_private__,
    }
    return bytes(encoder.below(1) + encoder.below(parts))


# Module, name and what its values are known by; those that may change all their own.
_RULES: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
    ("PIL.Image", "Image", _picture),
    ("numpy.random", "SeedSequence", _seeds),
    ("numpy.random", "RandomState", lambda old: old.get_state(legacy=False)),
    ("random", "Random", lambda own: own.getstate()),
    ("xarray", "Variable", _variable),
    ("xarray", "DataArray", _named_array),
    ("xarray", "Dataset", _dataset),
    ("polars", "Series", _column),
    ("polars", "DataFrame", _columns),
)
