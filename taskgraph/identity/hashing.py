"""Values as bytes: the canonical encoding that keys are made of.

The encoding (version 2) is a prefix code: every value starts with a tag that says how
long it is, so no two different values, however nested, have the same bytes.

===========  ==================================================================
tag          what follows
===========  ==================================================================
``N T F .``  nothing: None, True, False, Ellipsis
``i``        int: decimal digits (beyond 4300 of them ``0x`` and hexadecimal), ``;``
``f``        float: 8 bytes, IEEE 754 big-endian; every NaN is 7ff8000000000000,
             and -0.0 differs from 0.0
``c``        complex: two floats, 16 bytes
``s b y``    str (UTF-8, lone surrogates kept), bytes, bytearray: size, ``:``, bytes
``( [``      tuple, list: count, ``:``, the items
``{ <``      set, frozenset: count, ``:``, the encoded items in byte order
``d``        dict: count, ``:``, key then value for each, in byte order of the keys
``a``        array: dtype (a str for most), shape (as tuple), BLAKE3 (32 bytes) of its
             little-endian elements in C order, NaNs alike; of objects, packed by kind
``n``        numpy scalar: dtype, its bytes (as bytes)
``m``        class or function that its name finds: module, qualified name (as str)
``o``        object of a known type: type (as for ``m``), all that it holds (any value)
``O``        object of a class written in Python: class (as for ``m``), the value of the
             known type that the class extends (or None), its attributes (as dict)
``K``        task: its key, 20 bytes
``L``        tasklet: the encoded task or tasklet it is a view of, then what it takes
``_``        an argument that the decorator says to ignore
===========  ==================================================================

Sizes and counts are decimal digits.

What is not known whole is refused (DESIGN).
"""

from __future__ import annotations

import enum
import types
from functools import partial
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from taskgraph.errors import UnhashableError
from taskgraph.identity.array_digests import Digests
from taskgraph.identity.bases import anatomy, base_state
from taskgraph.identity.containers import (
    has_parts,
    hash_hook,
    needed_by,
    speak_for_themselves,
    value_hook,
)
from taskgraph.identity.input_files import note_files
from taskgraph.identity.naming import Names, names_itself
from taskgraph.identity.numpy_state import dtype_state, numpy_encoder
from taskgraph.identity.objects import REFUSED, attributes, describe_kind
from taskgraph.identity.scalars import SCALARS, encode_int, encode_str
from taskgraph.identity.standard_types import (
    is_named_tuple,
    known_type,
    named_tuple_class,
    rule_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_TOO_DEEP = "nested too deeply, or inside itself; pass flatter data"
_LONG = 200
_KEPT = (
    "{} holds a task that its result would not replace; pass the task by itself, in a "
    "list or in a dict, or define __taskgraph_value__()"
)
_NAMED = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)
_OF_ATTRS = "_attrs_cached_hash"  # another one with each hash seed


class Encoder:
    """Turns values into canonical bytes, and notes what it meets on the way.

    One encoder serves one recording of tasks: it digests an array that it has seen
    before only once, and notices when a name comes to stand for something else.

    Parameters
    ----------
    renaming : bool, optional
        Whether names may come to stand for other functions, as in a notebook.

    Attributes
    ----------
    tasks : list
        The tasks that were met since the caller last emptied it.
    mutable : bool
        Whether something was met that could change later.
    names : Names
        What names stand for in this recording.
    files : dict
        Files that arguments name by content, as they were.
    outputs : list
        The outputs that were met since the caller last emptied it.
    row : object
        What is remembered of the last tasks in a row.

    Examples
    --------
    >>> encode = Encoder().encode
    >>> encode([1, "one", None])
    b'[3:i1;s3:oneN'
    >>> encode([[1], 2]) == encode([[1, 2]])
    False
    >>> encode({"a": 1, "b": 2}) == encode({"b": 2, "a": 1})
    True
    >>> encode(print) == encode(len)
    False
    >>> encode([{"f": lambda x: x}])
    Traceback (most recent call last):
    taskgraph.UnhashableError: value[0]['f']: a lambda or inner function ...
    """

    def __init__(self, *, renaming: bool = False) -> None:
        self.tasks: list[Any] = []
        self.mutable = False
        self.files: dict[str, tuple[int, int]] = {}
        self.outputs: list[Any] = []
        self.row: Any = None
        self._digests = Digests()
        self.names = Names(renaming=renaming)
        self._table: dict[type, Callable[[Any], bytes]] = {
            type(None): lambda _: b"N",
            type(...): lambda _: b".",
            **SCALARS,
            bytes: lambda x: b"b%d:%b" % (len(x), x),
            bytearray: self._bytearray,
            tuple: self._tuple,
            list: self._list,
            set: self._set,
            frozenset: lambda x: b"<" + self._sorted(x),
            dict: self._dict,
        }

    def encode(self, value: object) -> bytes:
        """Return the canonical bytes of a value.

        Raises
        ------
        UnhashableError
            The value or something in it has no stable hash; names the place.
        """
        try:
            return self.below(value)
        except UnhashableError as error:
            raise UnhashableError(f"value{error.path}", error.why) from None

    def item(self, value: Any) -> bytes:
        """Return the canonical bytes of a value; an error's path starts here."""
        encode = self._table.get(type(value))
        return self._other(value) if encode is None else encode(value)

    def items(self, values: Iterable[Any]) -> list[bytes]:
        """Return the canonical bytes of each value."""
        table = self._table
        encoded: list[bytes] = []
        append = encoded.append
        value: Any = None
        try:
            for value in values:
                kind = type(value)
                append(table[kind](value) if kind in table else self._other(value))
        except UnhashableError as error:
            raise _inside(f"[{len(encoded)}]", error) from None
        except RecursionError:
            raise UnhashableError(f"[{len(encoded)}]", _TOO_DEEP) from None
        return encoded

    # containers

    def _joined(self, head: bytes, values: Sequence[Any]) -> bytes:
        """Return the canonical bytes of values in a row; many tasks encode at once."""
        first = type(values[0]) if values else None
        together = getattr(first, "__taskgraph_encode_all__", None)
        encoded: list[bytes] | None = together and together(values, encoder=self)
        if encoded is None:
            encoded = self.items(values)
        return b"".join([head, *encoded])

    def _tuple(self, value: tuple[Any, ...]) -> bytes:
        return self._joined(b"(%d:" % len(value), value)

    def _list(self, value: list[Any]) -> bytes:
        self.mutable = True
        return self._joined(b"[%d:" % len(value), value)

    def _bytearray(self, value: bytearray) -> bytes:
        self.mutable = True
        return b"y%d:%b" % (len(value), bytes(value))

    def _set(self, value: set[Any]) -> bytes:
        self.mutable = True
        return b"{" + self._sorted(value)

    def _sorted(self, value: set[Any] | frozenset[Any]) -> bytes:
        return b"%d:%b" % (len(value), b"".join(sorted(self.items(value))))

    def _dict(self, value: Mapping[Any, Any]) -> bytes:
        self.mutable = True
        pairs = []
        for key, entry in value.items():
            try:
                pairs.append((self.item(key), self.item(entry)))
            except UnhashableError as error:
                raise _inside(f"[{key!r:.40}]", error) from None
        pairs.sort()
        return b"d%d:%b" % (len(value), b"".join(k + v for k, v in pairs))

    # everything else

    def _other(self, value: Any) -> bytes:
        """Encode what is not in the table; the next of its type is found there."""
        kind = type(value)
        found = self._encoder_of(kind)
        if found is None:
            return self._thing(value) if names_itself(value) else self._whole(value)
        self._table[kind] = found
        return found(value)

    def _encoder_of(self, kind: type) -> Callable[[Any], bytes] | None:
        """Return what encodes the values of a type, if the type alone tells."""
        own = getattr(kind, "__taskgraph_encode__", None)
        if own is not None:  # tasks and their like
            return partial(own, encoder=self)
        hook = hash_hook(kind)
        if hook is not None:
            return lambda value: self._hooked(value, kind, hook)
        if known_type(kind):
            known = self._known(kind)
            return known if has_parts(kind) else self._without_tasks(known, kind)
        if issubclass(kind, _NAMED):
            return self._thing
        if issubclass(kind, enum.Enum):
            return self._member
        if is_named_tuple(kind):
            return lambda row: self.state(
                "collections", "namedtuple", (*named_tuple_class(kind), tuple(row))
            )
        from taskgraph.identity.library_state import library_encoder
        from taskgraph.identity.pandas_state import pandas_encoder

        for encoder_of in (numpy_encoder, pandas_encoder, library_encoder):
            if (encode := encoder_of(kind, self)) is not None:
                whole = kind.__name__ != "ndarray"
                return self._without_tasks(encode, kind) if whole else encode
        return None

    def _without_tasks(
        self, encode: Callable[[Any], bytes], kind: type
    ) -> Callable[[Any], bytes]:
        """Return what refuses tasks in a value whose parts nobody replaces."""

        def encode_whole(value: Any) -> bytes:
            before = len(self.tasks)
            encoded = encode(value)
            if len(self.tasks) > before:
                raise UnhashableError("", _KEPT.format(describe_kind(kind)))
            return encoded

        return encode_whole

    def _hooked(self, value: Any, kind: type, hook: Callable[[Any], Any]) -> bytes:
        """Encode what an object of one's own says of itself."""
        self.mutable = True
        state = hook(value)
        note_files(self.files, value)
        replaced = value_hook(kind)
        encode = self.below if replaced else self._without_tasks(self.below, kind)
        encoded = b"o" + self.names.of(kind) + encode(state)
        self.items(speak_for_themselves(needed_by(value)))  # notes the tasks in it
        return encoded

    def _known(self, kind: Any) -> Callable[[Any], bytes]:
        module, name, state = rule_of(kind)
        head = self.head(module, name)
        if not kind.__dictoffset__ or module == "typing":
            return lambda value: head + self.below(state(kind, value))

        def encode(value: Any) -> bytes:
            more = attributes(value, anatomy(kind))
            held = state(kind, value)
            return self._extended(kind, held, more) if more else head + self.below(held)

        return encode

    def _whole(self, value: Any) -> bytes:
        """Encode an object of a class written in Python: class and complete state."""
        kind: Any = type(value)
        self.mutable = True
        consists = anatomy(kind)
        held = base_state(value, consists.base), attributes(value, consists)
        if has_parts(consists.base):
            return self._extended(kind, *held)
        return self._without_tasks(lambda _: self._extended(kind, *held), kind)(value)

    def _extended(self, kind: type, base: object, more: dict[Any, Any]) -> bytes:
        name = self.names.of(kind)
        return b"O" + name + self.below(base) + self._attributes(more)

    def _attributes(self, held: dict[Any, Any]) -> bytes:
        """Encode attributes as a dict; paths to them begin with a dot."""
        self.mutable = True
        pairs = []
        for name, entry in held.items():
            if name == _OF_ATTRS:
                continue
            try:
                pairs.append((self.item(name), self.item(entry)))
            except UnhashableError as error:
                raise _inside(f".{name}", error) from None
            except RecursionError:
                raise UnhashableError(f".{name}", _TOO_DEEP) from None
        pairs.sort()
        return b"d%d:%b" % (len(pairs), b"".join(k + v for k, v in pairs))

    def head(self, module: str, name: str) -> bytes:
        """Return what a value of a known type begins with: the type's name in keys."""
        return b"o" + encode_str(module) + encode_str(name)

    def state(self, module: str, name: str, state: object) -> bytes:
        """Encode a value of a known type: its name in keys, and all that it holds."""
        return self.head(module, name) + self.below(state)

    def below(self, state: Any) -> bytes:
        """Encode the state of an object; what is wrong in it is wrong with that."""
        try:
            return self.item(state)
        except RecursionError:
            raise UnhashableError("", _TOO_DEEP) from None

    # names

    def _thing(self, value: Any) -> bytes:
        return b"m" + self.names.of(value)

    def _member(self, value: Any) -> bytes:
        """Encode a flag by its bits, another member by its name."""
        kind = type(value)
        if isinstance(value, enum.Flag):
            return b"o" + self.names.of(kind) + encode_int(int(value._value_))
        if kind.__members__.get(value._name_) is not value:
            raise UnhashableError("", REFUSED.format(f"no member of {kind.__name__}"))
        return b"o" + self.names.of(kind) + encode_str(value._name_)

    # arrays

    def array(self, array: Any, numpy: Any) -> bytes:
        """Encode a plain array: dtype, shape and contents."""
        self.mutable = True
        dtype = array.dtype
        head = b"a" + self.below(dtype_state(dtype, ordered=False))
        head += self._tuple(array.shape)
        if dtype.hasobject and dtype.names is None:
            objects = array if dtype.kind == "O" else array.astype(object)
            return head + self._digests.of_objects(objects, self._packed)
        if dtype.names is not None:
            encode = self._without_tasks(lambda x: self._fields(x, numpy), type(array))
            return head + encode(array)
        return head + self._digests.of(array, numpy)

    def _packed(self, objects: list[Any]) -> tuple[bytes, bool]:
        """Return the bytes of objects, and whether these will last."""
        from taskgraph.identity.packed_objects import pack_objects

        met, self.mutable = len(self.tasks), False
        packed = pack_objects(objects, self.item)
        lasts = not self.mutable and len(self.tasks) == met
        self.mutable = True
        return packed, lasts

    def _fields(self, array: Any, numpy: Any) -> bytes:
        """Digest fields one by one: the padding between them is not data."""
        fields = [self.array(array[name], numpy) for name in array.dtype.names]
        return blake3(b"".join(fields)).digest()


def _inside(place: str, error: UnhashableError) -> UnhashableError:
    """Return an error of something in a place; not all of a very deep one."""
    path = place + error.path
    path = path if len(path) < _LONG else f"{path[:_LONG]}..."
    return UnhashableError(path, error.why)
