"""Pipelines as text: TOML for people, JSON for programs.

.. code-block:: toml

    format = 1

    [[step]]
    run = "ndnt"
    with = { shape = [10, 64, 64], threshold = 0.3 }

    [[step]]
    run = "classify"
    arguments = [{ class = "cell", area = [100.0, 300.0] }]

`run` is a public name of segkit or ``package.module:name``; ``arguments`` follow the
data, ``with`` are those by keyword, ``channel`` is which of the image's channels it
reads, ``reach`` is that of a function which does not declare it, and ``returns`` what
one of somebody else's returns. ``per = "t"``, above the steps, takes each time point by
itself, as ``load(per="t")`` does.

A file may come from a stranger: it is data, and runs the steps of segkit and nothing
else, unless whoever loads it trusts it.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.io.elsewhere.address import is_address
from segkit.io.publishing import published
from segkit.measurement.classification import BoundsClassifier, bounds_classifier
from segkit.other_names import nearest
from segkit.pipeline.steps import BesideLoad, PipelineError, Step, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
_KEYS = {"run", "arguments", "with", "channel", "reach", "returns"}
_STEP = re.compile(r"\s*\[\[\s*step\s*\]\]")
_ONE_BRACKET = re.compile(r"^\s*\[\s*step\s*\]", re.MULTILINE)
_TOP = ("format", "per", "step")


def write_pipeline(path: Path, steps: Sequence[Step]) -> Path:
    """Write steps as TOML or JSON, by the suffix; see `Pipeline.save`."""
    if path.suffix not in (".json", ".toml"):
        raise PipelineError(f"{path}: a pipeline is saved as .toml or .json")
    text = text_of(steps, as_json=path.suffix == ".json")
    with published(path, overwrite=True) as private:
        private.write_text(text, encoding="utf-8")
    return path


def text_of(steps: Sequence[Step], *, as_json: bool = False) -> str:
    """Return steps as TOML or JSON.

    Raises
    ------
    PipelineError
        If a step holds what has no name, such as a lambda; it is named.

    Examples
    --------
    >>> from segkit.pipeline import gaussian
    >>> print(text_of([gaussian(sigma=2)]))
    format = 1
    <BLANKLINE>
    [[step]]
    run = "gaussian"
    with = { sigma = 2 }
    """
    per, steps = _taken_apart(steps)
    entries = [entry_of(number, step) for number, step in enumerate(steps, start=1)]
    top = {"format": FORMAT, **({"per": per} if per else {})}
    if as_json:
        return json.dumps({**top, "step": entries}, indent=1) + "\n"
    parts = [f"{name} = {_toml(0, value)}\n" for name, value in top.items()]
    for number, entry in enumerate(entries, start=1):
        lines = [f"{name} = {_toml(number, v)}\n" for name, v in entry.items()]
        parts.append("\n[[step]]\n" + "".join(lines))
    return "".join(parts)


def _taken_apart(steps: Sequence[Step]) -> tuple[str, Sequence[Step]]:
    """Return the axes that a pipeline takes apart, and its steps without them."""
    if not steps or steps[0].function != "load" or "per" not in steps[0].keywords:
        return "", steps
    first = steps[0].without("per")
    bare = not (first.arguments or first.options) and len(steps) > 1
    return steps[0].keywords["per"], steps[1:] if bare else [first, *steps[1:]]


def _having_per(
    path: Path, content: dict[str, Any], steps: tuple[Step, ...]
) -> tuple[Step, ...]:
    """Return steps that take the axes apart that a file names above them."""
    per = content.get("per")
    if per is None:
        return steps
    if not isinstance(per, str) or not per:
        raise PipelineError(f'{path}: per is {per!r}; write per = "t"')
    if steps[0].function != "load":
        return BesideLoad([Step("load", (), (("per", per),)), *steps])
    if steps[0].keywords.get("per", per) != per:
        raise PipelineError(f"{path}: says per twice; leave that of step 1 (load) out")
    return (steps[0].having(per=per), *steps[1:])


def entry_of(number: int, step: Step) -> dict[str, Any]:
    """Return a step as files hold it, of plain values; see `read_entry`."""
    if step.bound is not None:
        raise PipelineError(
            f"step {number} ({step.function}): a function inside another or without a"
            " name cannot be saved; move it to a module"
        )
    entry: dict[str, Any] = {"run": step.function}
    if step.arguments:
        entry["arguments"] = [_plain(number, step, value) for value in step.arguments]
    if step.channel is not None:
        entry["channel"] = _plain(number, step, step.channel)
    if step.bare.options:
        entry["with"] = {n: _plain(number, step, v) for n, v in step.bare.options}
    if step.reach is not None:
        entry["reach"] = _plain(number, step, step.reach)
    if step.returns is not None:
        entry["returns"] = step.returns
    return entry


def _plain(number: int, step: Step, value: Any) -> Any:
    """Return a value as text formats hold it."""
    if isinstance(value, BoundsClassifier):
        return {"class": value.name, **{n: [a, b] for n, a, b in value.bounds}}
    if isinstance(value, (list, tuple)):
        return [_plain(number, step, part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(number, step, part) for name, part in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise PipelineError(
        f"step {number} ({step.function}): {value!r} is neither number, text, list nor"
        " class, and cannot be saved"
    )


def _toml(number: int, value: Any) -> str:
    if value is None:
        raise PipelineError(
            f"step {number}: TOML has no word for None; leave the option out, or save"
            " as .json"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(number, part) for part in value) + "]"
    pairs = [f"{_toml_key(name)} = {_toml(number, v)}" for name, v in value.items()]
    return "{ " + ", ".join(pairs) + " }" if pairs else "{}"


def _toml_key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else json.dumps(name)


def read_steps(path: Path, *, trust: bool) -> tuple[Step, ...]:
    """Return the steps of a file; see `Pipeline.load`."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise PipelineError(
            f"{path}: cannot be read as a pipeline file: {error.strerror}"
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        if path.suffix != ".json" and _ONE_BRACKET.search(text):
            raise _one_bracket(path) from error
        raise PipelineError(
            f"{path}: is no pipeline file (.toml or .json; it comes before the images):"
            f" {error}"
        ) from error
    entries = _entries(path, content)
    steps = [read_entry(path, n, entry) for n, entry in enumerate(entries, start=1)]
    if not trust:
        for number, step in enumerate(steps, start=1):
            require_harmless(path, number, step)
    return _having_per(path, content, tuple(steps))


def line_of(path: Path, message: str) -> str:
    """Return in which line of a file the step begins that a message begins with.

    After a colon; empty of what is of no step, and of JSON, which programs write.
    """
    number = re.match(r"step (\d+)\b", message)
    if number is None or path.suffix == ".json":
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    begun = [k for k, line in enumerate(lines, start=1) if _STEP.match(line)]
    return "".join(f":{k}" for k in begun[int(number[1]) - 1 : int(number[1])])


def require_harmless(path: Path, number: int, step: Step) -> None:
    """Raise `PipelineError` if a step could do more than steps of segkit may."""
    why = ""
    target = str(step.keywords.get("path", *step.arguments[:1]))
    if ":" in step.function:
        why = "is no step of segkit and could do anything"
    elif step.saves and is_address(target):
        why = f"sends what it makes to {target}"
    elif step.saves and step.keywords.get("overwrite") and Path(target).is_absolute():
        why = f"may replace {target}, whatever lies there"
    if why:
        raise PipelineError(
            f"{path}: step {number} ({step.function}) {why}; if you have read the file"
            " and trust it, add --trust (in Python trust=True)"
        )


def _entries(path: Path, content: Any) -> list[Any]:
    """Return the steps as they are written, once the rest of the file is right."""
    if not isinstance(content, dict):
        raise PipelineError(f"{path}: is no pipeline: it holds no table of steps")
    for name in content:
        if name not in _TOP:
            raise PipelineError(
                f"{path}: has an unknown key {name!r}{nearest(name, _TOP)}; a pipeline"
                f' has format = {FORMAT}, maybe per = "t", and one [[step]] for each'
                " step"
            )
    if "format" not in content:
        raise PipelineError(
            f"{path}: says no format; add `format = {FORMAT}`, above the first [[step]]"
        )
    if content["format"] != FORMAT:
        raise PipelineError(
            f"{path}: has format {content['format']!r}; this version reads format"
            f" {FORMAT}"
        )
    entries = content.get("step", [])
    if not isinstance(entries, list):
        raise _one_bracket(path)
    if not entries:
        raise PipelineError(
            f'{path}: has no steps; add [[step]] and run = "..." for each'
        )
    return entries


def _one_bracket(path: Path) -> PipelineError:
    return PipelineError(f"{path}: step is no list; write [[step]], two brackets")


def read_entry(path: Path, number: int, entry: Any) -> Step:
    """Return the step of an entry of a file, whose number and path are for errors."""
    if not isinstance(entry, dict) or not isinstance(entry.get("run"), str):
        raise PipelineError(f"{path}: step {number} does not say what to run")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise PipelineError(
            f"{path}: step {number} ({entry['run']}) has unknown keys"
            f" {', '.join(unknown)}; options belong into with = {{ ... }}"
        )
    if not isinstance(entry.get("with", {}), dict) or not isinstance(
        entry.get("arguments", []), list
    ):
        raise PipelineError(
            f"{path}: step {number} ({entry['run']}): write with = {{ name = value }}"
            " and arguments = [value]"
        )
    try:
        arguments = tuple(_value(v) for v in entry.get("arguments", []))
        options = tuple((n, _value(v)) for n, v in entry.get("with", {}).items())
    except (ValueError, TypeError) as error:
        raise PipelineError(
            f"{path}: step {number} ({entry['run']}): {error}"
        ) from error
    if "channel" in entry:
        options = (*options, ("channel", frozen(entry["channel"])))
    reach, returns = frozen(entry.get("reach")), entry.get("returns")
    return Step(entry["run"], arguments, options, reach, returns)


def _value(value: Any) -> Any:
    if isinstance(value, dict) and "class" in value:
        bounds = {name: frozen(v) for name, v in value.items() if name != "class"}
        return bounds_classifier(value["class"], **bounds)
    return frozen(value)
