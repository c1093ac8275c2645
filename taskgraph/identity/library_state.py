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
    if top == "PIL" and kind is sys.modules["PIL.Image"].Image:
        return lambda image: encoder.state("PIL.Image", "Image", (1, _picture(image)))
    if top == "numpy" and kind is getattr(loaded("numpy.random"), "Generator", None):
        return lambda generator: _random_generator(generator, encoder)
    if top.startswith("pytz"):
        return lambda zone: encoder.state("pytz", "tzinfo", (1, zone.__reduce__()))
    pydantic = loaded("pydantic")
    if pydantic is not None and issubclass(kind, pydantic.BaseModel):
        return lambda model: b"O" + encoder.names.of(kind) + _model(model, encoder)
    return None


def _random_generator(generator: Any, encoder: Any) -> bytes:
    """Encode a random generator: what it draws next, and what it would spawn."""
    bits = generator.bit_generator
    seed, kind = bits.seed_seq, type(bits)
    known = type(seed).__module__ == "numpy.random.bit_generator"
    if not (known and kind.__module__.startswith("numpy.random.")):
        raise UnhashableError("", "a random generator of another make; pass its seed")
    encoder.mutable = True
    spawns = seed.entropy, seed.spawn_key, seed.pool_size, seed.n_children_spawned
    parts = 1, kind.__name__, bits.state, spawns
    encoded: bytes = encoder.state("numpy.random", "Generator", parts)
    return encoded


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
