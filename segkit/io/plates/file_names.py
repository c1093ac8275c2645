"""Fields of view by the names of files, as a pattern with named groups says.

``"{well}_s{field}_w{channel}.tif"`` is text with groups in braces: ``well``, or ``row``
and ``column``; ``field``; ``channel``, ``t`` and ``z``, by which several files make one
image. ``*`` stands for anything, ``/`` for a folder. A group matches letters, digits
and ``-``; of ``t`` and ``z`` digits; one that says what was done to wells, anything.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit.io.errors import ImageRequestError
from segkit.io.plates.fields import Field, combinations
from segkit.other_names import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PLACES = ("well", "row", "column", "field")
_ACROSS = {"t": "t", "channel": "c", "z": "z"}
"""Groups by which files make one image, and the axes along which they lie."""
_KNOWN = (*_PLACES, *_ACROSS)
_GROUP = re.compile(r"\{([^{}]*)\}|(\*)")
_WORD = r"[^\W_](?:[^\W_]|-)*"
_TOLD = 5
_WELL = re.compile(r"([A-Za-z]+)[-_ ]?(\d+)")

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Named:
    """Fields of a folder; see `segkit.io.plates.plate.Plate`."""

    names: tuple[str, ...]
    fields: tuple[Field, ...]
    notes: tuple[str, ...]


def fields_by_names(
    folder: Path, pattern: str, conditions: Sequence[str] = ()
) -> Named:
    """Return the fields of a folder of images.

    Parameters
    ----------
    folder
        Where they lie.
    pattern
        Of their paths in it.
    conditions
        Groups that say what was done to a well, which are called as one likes.

    Raises
    ------
    ImageRequestError
        If no file has such a name, one may be read in two ways, or two are the same
        part of one field.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("B02_s1_w1.tif", "B02_s1_w2.tif", "B02_s2_w1.tif"):
    ...     (folder / name).touch()
    >>> found = fields_by_names(folder, "{well}_s{field}_w{channel}.tif")
    >>> found.names, found.fields[0].place, found.fields[0].channels
    (('well', 'row', 'column', 'field'), ('B02', 'B', 2, 1), ('1', '2'))
    >>> found.fields[1].missing
    'lacks B02_s2_w2.tif of ...'
    """
    groups = _groups(folder, pattern, conditions)
    lazy, greedy = _compiled(pattern, "?"), _compiled(pattern, "")
    files = folder.glob("/".join("*" * (1 + pattern.count("/"))))
    paths = sorted(file for file in files if file.is_file() and file.name[0] != ".")
    found: dict[Path, Texts] = {}
    for path in paths:
        relative = path.relative_to(folder).as_posix()
        first, second = lazy.fullmatch(relative), greedy.fullmatch(relative)
        if first is None or second is None:
            continue
        if first.groupdict() != second.groupdict():
            raise _ambiguous(path, pattern, first.groupdict(), second.groupdict())
        found[path] = first.groupdict()
    if not found:
        raise _none(folder, pattern, [path.name for path in paths])
    _require_one_spelling(found)
    order = (*_PLACES[:3], *conditions, *_PLACES[3:])
    names = tuple(name for name in order if name in _columns(groups))
    fields = _fields(folder, pattern, found, names)
    return Named(names, fields, _notes(folder, paths, found))


def _groups(folder: Path, pattern: str, conditions: Sequence[str]) -> list[str]:
    """Return the names of the groups of a pattern, once they are known ones."""
    for name in conditions:
        if not name.isidentifier() or name in _KNOWN:
            raise ImageRequestError(
                folder,
                f"no condition of wells is called {{{name}}}; name it by letters, as"
                " {drug}",
            )
    groups = [match[1] for match in _GROUP.finditer(pattern) if match[1] is not None]
    for name in groups:
        if name not in (*_KNOWN, *conditions):
            raise ImageRequestError(
                folder,
                f"pattern {pattern!r} has a group {{{name}}}{nearest(name, _KNOWN)};"
                f" there are {', '.join(f'{{{one}}}' for one in _KNOWN)}, and * for"
                f" anything; if it is what was done to wells, say --by {name} (by=)",
            )
    twice = [name for name, count in Counter(groups).items() if count > 1]
    if twice:
        raise ImageRequestError(
            folder, f"pattern {pattern!r} has {{{twice[0]}}} twice; write * for one"
        )
    if not {*groups} & {*_PLACES}:
        raise ImageRequestError(
            folder,
            f"pattern {pattern!r} says neither {{well}} nor {{field}}, so all files"
            " would be one",
        )
    if "well" in groups and {"row", "column"} & {*groups}:
        raise ImageRequestError(
            folder, f"pattern {pattern!r} has {{well}}, and row or column, too"
        )
    return groups


def _columns(groups: Sequence[str]) -> set[str]:
    own = {*groups}
    if "well" in own:
        own |= {"row", "column"}
    if {"row", "column"} <= own:
        own |= {"well"}
    return own


def _compiled(pattern: str, how: str) -> re.Pattern[str]:
    """Return a pattern whose groups match as little or as much as they can."""
    parts, end = [], 0
    for match in _GROUP.finditer(pattern):
        parts.append(re.escape(pattern[end : match.start()]))
        end = match.end()
        if match[2]:
            parts.append(f"[^/]*{how}")
        elif match[1] in ("t", "z"):
            parts.append(f"(?P<{match[1]}>[0-9]+{how})")
        elif match[1] not in _KNOWN:
            parts.append(f"(?P<{match[1]}>[^/]+{how})")
        else:
            parts.append(f"(?P<{match[1]}>{_WORD}{how})")
    return re.compile("".join([*parts, re.escape(pattern[end:])]))


def _ambiguous(
    path: Path, pattern: str, first: Texts, second: Texts
) -> ImageRequestError:
    name = next(name for name in first if first[name] != second[name])
    return ImageRequestError(
        path,
        f"may be read in two ways by {pattern!r}: {name} {first[name]!r} or"
        f" {second[name]!r}; put text between the groups",
    )


def _none(folder: Path, pattern: str, names: Sequence[str]) -> ImageRequestError:
    there = f"; it has {', '.join(names[:_TOLD])}" if names else ", and no file at all"
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ImageRequestError(
        folder, f"has no file that is named {pattern!r}{there}{more}"
    )


def key_of(text: str) -> str | int:
    """Return what two spellings of one place have in common."""
    if text.isascii() and text.isdigit():
        return int(text)
    well = _WELL.fullmatch(text)
    return f"{well[1].upper()}{int(well[2])}" if well else text


def _require_one_spelling(found: dict[Path, Texts]) -> None:
    """Raise if one place is written in two ways, such as A1 and A01."""
    seen: dict[tuple[str, str | int], tuple[str, Path]] = {}
    for path, texts in found.items():
        for name, text in texts.items():
            first, other = seen.setdefault((name, key_of(text)), (text, path))
            if first != text:
                raise ImageRequestError(
                    path,
                    f"says {name} {text!r}, and {other.name} says {first!r}: are these"
                    " one? Name both the same",
                )


def _place(names: Sequence[str], texts: Texts) -> tuple[str | int, ...]:
    own = dict(texts)
    if "well" in own:
        own["row"], own["column"] = _split(own["well"])
    elif {"row", "column"} <= own.keys():
        own["well"] = own["row"] + own["column"]
    return tuple(
        int(own[name])
        if name in ("column", "field") and _is_number(own[name])
        else own[name]
        for name in names
    )


def _split(well: str) -> tuple[str, str]:
    found = _WELL.fullmatch(well)
    return (found[1], found[2]) if found else ("", "")


def split_well(well: str) -> tuple[str, str | int]:
    """Return the row and the column of a well; of one that has none, empty text.

    Examples
    --------
    >>> split_well("B02"), split_well("blank")
    (('B', 2), ('', ''))
    """
    row, column = _split(well)
    return row, int(column) if column else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _order(text: str) -> tuple[bool, int, str]:
    """Return what texts are ordered by: numbers first, by their size."""
    known = _is_number(text)
    return (not known, int(text) if known else 0, text)


def _fields(
    folder: Path, pattern: str, found: dict[Path, Texts], names: tuple[str, ...]
) -> tuple[Field, ...]:
    """Return a field for each place, with all files that the plate has of a field."""
    across = [name for name in _ACROSS if any(name in t for t in found.values())]
    values = {
        name: sorted({texts[name] for texts in found.values()}, key=_order)
        for name in across
    }
    by_place: dict[tuple[str, ...], dict[tuple[str, ...], Path]] = {}
    for path, texts in found.items():
        own = tuple(texts[name] for name in names if name in texts)
        inner = tuple(texts[name] for name in across)
        files = by_place.setdefault(own, {})
        if inner in files:
            raise ImageRequestError(
                path,
                f"is the same part of one field as {files[inner].name} by {pattern!r};"
                " name what tells them apart",
            )
        files[inner] = path
    ordered = sorted(by_place, key=lambda own: [_order(text) for text in own])
    return tuple(
        _field(folder, pattern, values, by_place[own], own, names, found)
        for own in ordered
    )


def _field(
    folder: Path,
    pattern: str,
    values: dict[str, list[str]],
    files: dict[tuple[str, ...], Path],
    own: tuple[str, ...],
    names: tuple[str, ...],
    found: dict[Path, Texts],
) -> Field:
    """Return a field, of some files for values of the groups that lie across it."""
    texts = found[next(iter(files.values()))]
    lengths = tuple(map(len, values.values()))
    wanted = [
        tuple(several[k] for several, k in zip(values.values(), at, strict=True))
        for at in combinations(lengths)
    ]
    lacking = [
        _written(pattern, {**texts, **dict(zip(values, inner, strict=True))})
        for inner in wanted
        if inner not in files
    ]
    more = f" and {len(lacking) - _TOLD} more" if len(lacking) > _TOLD else ""
    told = f"lacks {', '.join(lacking[:_TOLD])}{more}" if lacking else ""
    known = [str(files[inner]) for inner in wanted if inner in files]
    return Field(
        _place(names, texts),
        "-".join(own),
        tuple(known),
        "".join(_ACROSS[name] for name in values),
        lengths,
        tuple(values.get("channel", ())),
        told and f"{told} of {folder}",
    )


def _written(pattern: str, texts: Texts) -> str:
    """Return the name of a file by a pattern."""
    return _GROUP.sub(lambda match: texts[match[1]] if match[1] else "*", pattern)


def _notes(
    folder: Path, paths: Sequence[Path], found: dict[Path, Texts]
) -> tuple[str, ...]:
    others = [path.name for path in paths if path not in found]
    if not others:
        return ()
    are = "a file is" if len(others) == 1 else f"{len(others)} files are"
    more = f" and {len(others) - _TOLD} more" if len(others) > _TOLD else ""
    told = f"{', '.join(others[:_TOLD])}{more}"
    return (f"{folder}: {are} not named by the pattern and left out: {told}",)
