"""Resources: what tasks ask for and workers have, such as ``gpu=1,mem=8G``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

# Compiled when something is asked for: this module is loaded by each run.
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_AMOUNT = r"([0-9]+(?:\.[0-9]+)?) ?(?:([kKmMgGtTpP])?(i?[bB])?)"
_UNITS = "KMGTP"
_ROUNDING = 1e-9
"""Ten times 0.1 is as much as 1."""
_ADVICE = "write a number from 0 on, or a size as 500M or 8G"


@frozen
class Amount:
    """So much of one resource.

    Attributes
    ----------
    name : str
        Of the resource.
    value : float
        A number, or bytes.
    size : bool
        Whether it is a size, which was written with a unit. A number is another thing:
        who writes ``mem=8`` does not mean eight bytes.
    text : str
        As it was written.
    """

    name: str
    value: float
    size: bool
    text: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.name}={self.text}"


@frozen
class Resources:
    """Amounts of some resources; written as on the command line.

    Attributes
    ----------
    amounts : tuple of Amount
        In the order of their names, each name once.

    Examples
    --------
    >>> has = Resources.of("mem=16G, gpu=1")
    >>> print(has)
    gpu=1,mem=16G
    >>> Resources.of({"gpu": 1, "mem": "16GB"}) == has
    True
    >>> bool(Resources.of({})), bool(Resources.of("gpu=0"))
    (False, False)
    """

    amounts: tuple[Amount, ...] = ()

    @classmethod
    def of(cls, given: Any) -> Resources:
        """Return what a text or a mapping says, as ``{"gpu": 1, "mem": "8G"}``.

        Raises
        ------
        ValueError
            It says nothing that makes sense, or something twice.

        Examples
        --------
        >>> Resources.of("gpu=1,gpu=2")
        Traceback (most recent call last):
        ValueError: 'gpu' is there twice
        >>> Resources.of({"mem": "8X"})
        Traceback (most recent call last):
        ValueError: mem='8X' is no amount; write a number from 0 on, or a size ...
        """
        if isinstance(given, Resources):
            return given
        if isinstance(given, str):
            pairs = list(_pairs(given))
        elif isinstance(given, Mapping):
            pairs = list(given.items())
        else:
            raise ValueError('write a dict as {"gpu": 1, "mem": "8G"}')  # noqa: TRY004 - as all that is wrong here
        found = [_amount(name, amount) for name, amount in pairs]
        found.sort(key=lambda amount: amount.name)
        for one, following in pairwise(found):
            if one.name == following.name:
                raise ValueError(f"{one.name!r} is there twice")
        return cls(tuple(amount for amount in found if amount.value))

    def __bool__(self) -> bool:
        return bool(self.amounts)

    def __str__(self) -> str:
        return ",".join(map(str, self.amounts))

    def lacking(self, has: Resources) -> str:
        """Return what of this is not in `has`, or less of it; empty if all is there.

        Examples
        --------
        >>> has = Resources.of("gpu=1,mem=16G")
        >>> Resources.of("gpu=2,mem=8G").lacking(has)
        'gpu=2'
        >>> Resources.of("mem=8").lacking(has)  # a number is no size
        'mem=8'
        """
        there = {(x.name, x.size): x.value for x in has.amounts}
        return ",".join(
            str(asked)
            for asked in self.amounts
            if not enough(asked.value, there.get((asked.name, asked.size), 0.0))
        )


NOTHING = Resources()


def enough(asked: float, there: float) -> bool:
    """Return whether so much is there, whatever adding up has done to the last digit.

    Examples
    --------
    >>> 0.1 + 0.2 <= 0.3, enough(0.1 + 0.2, 0.3)
    (False, True)
    """
    return asked <= there * (1 + _ROUNDING)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and amounts of a text."""
    for one in text.split(","):
        name, equals, amount = one.partition("=")
        if equals:
            yield name.strip(), amount.strip()
        elif one.strip() or text.strip():
            raise ValueError(f"{one.strip()!r}: write NAME=AMOUNT, as gpu=1,mem=16G")


def _amount(name: Any, given: Any) -> Amount:
    if not (isinstance(name, str) and re.fullmatch(_NAME, name)):
        raise ValueError(f"{name!r} is no name of a resource; write one as gpu or mem")
    number = isinstance(given, Real) and not isinstance(given, bool)
    text = f"{float(given):.9f}".rstrip("0").rstrip(".") if number else str(given)
    found = re.fullmatch(_AMOUNT, text) if number or isinstance(given, str) else None
    if found is None or (number and given and not float(found[1])):
        raise ValueError(f"{name}={given!r} is no amount; {_ADVICE}")
    digits, letter, bytes_ = found.groups()
    power = 1 + _UNITS.index(letter.upper()) if letter else 0
    return Amount(name, float(digits) * 1024.0**power, bool(letter or bytes_), text)
