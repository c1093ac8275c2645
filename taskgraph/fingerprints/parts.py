"""Fingerprints as they are recorded, part by part, and compared. Pure."""

from __future__ import annotations

from dataclasses import field

from blake3 import blake3

from backends.interface.frozen import frozen

_PART_DIGITS = 8
_MOST = 64
"""How many parts are named in a record; the digest is of all."""


@frozen
class Part:
    """Something that a function uses, or itself.

    Attributes
    ----------
    name : str
        Module and qualified name; of a function with ``()``, of a class with ``:``, of
        a whole module with ``.*``.
    digest : str
        Tells what it does, by itself.
    path : str
        The file that says so; empty if none does.
    """

    name: str
    digest: str
    path: str = ""


@frozen
class Fingerprint:
    """What a function does.

    Attributes
    ----------
    digest : str
        Of it and of all that it uses; empty if it is not written in Python. It begins
        with the version of Python if some part has no source: only that one has it.
    parts : tuple of Part
        Itself first.
    lacking : tuple of str
        Names in it that nobody has given a value yet.
    text : str
        As it stands in a record; see `recorded`.
    """

    digest: str
    parts: tuple[Part, ...] = ()
    lacking: tuple[str, ...] = ()
    text: str = field(init=False)

    def __post_init__(self) -> None:
        named = [f"{part.name}={part.digest}" for part in self.parts[:_MOST]]
        object.__setattr__(self, "text", " ".join([self.digest, *named]))

    @property
    def is_of_one_python(self) -> bool:
        """Whether another version of Python has another digest of it."""
        return self.digest.startswith("py")


def recorded(text: str) -> tuple[str, dict[str, str]]:
    """Return the digest, and those of the parts by name, of the code in a record.

    Examples
    --------
    >>> recorded("0badcafe work.f()=1234 work.K=5678")
    ('0badcafe', {'work.f()': '1234', 'work.K': '5678'})
    """
    digest, *named = text.split() or [""]
    pairs = [word.rpartition("=") for word in named]
    return digest, {name: part for name, _, part in pairs}


def differs(text: str, now: Fingerprint) -> bool:
    """Return whether a record was made by other code, as far as that can be told.

    Parameters
    ----------
    text : str
        The code of the record.
    now : Fingerprint
        That of the function now.

    Examples
    --------
    >>> differs("py3.9-0badcafe", Fingerprint("py3.11-0badcafe"))  # who knows
    False
    >>> differs("0badcafe work.f()=12", Fingerprint("0badcafe")), differs(
    ...     "0badcafe", Fingerprint("deadbeef"))
    (False, True)
    """
    digest, _ = recorded(text)
    if not digest or not now.digest or digest == now.digest:
        return False
    versions = [one.rpartition("-")[0] for one in (digest, now.digest)]
    return not all(versions) or versions[0] == versions[1]


def changed_parts(text: str, now: Fingerprint) -> list[str]:
    """Return which parts of a function are others now, itself left out, by name.

    Empty if it is the function itself, too, or nobody can tell.

    Examples
    --------
    >>> now = Fingerprint("1", (Part("w.f()", "a"), Part("w.g()", "b")))
    >>> changed_parts("2 w.f()=a w.g()=x", now)
    ['w.g()']
    """
    _, before = recorded(text)
    after = {part.name: part.digest for part in now.parts}
    own = now.parts[0].name if now.parts else ""
    if before.get(own) != after.get(own):
        return []
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def digest_of(text: str) -> str:
    """Return what tells the text of a part from others."""
    return blake3(text.encode(errors="surrogatepass")).hexdigest()[:_PART_DIGITS]
