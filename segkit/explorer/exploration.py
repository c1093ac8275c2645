"""One image explored: what a page asks for is computed here, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.explorer import answers, summaries
from segkit.explorer.levels import ends
from segkit.explorer.parameters import Facts, named, parameters_of
from segkit.explorer.presets import PRESETS
from segkit.explorer.regions import is_large
from segkit.explorer.registry import addable, new_step
from segkit.explorer.requests import Entry, Request, as_plain, read_request
from segkit.names import known_as
from segkit.pictures.colouring import PALETTE
from segkit.pipeline.file import entry_of, text_of
from segkit.pipeline.special_steps import SPECIAL, save
from segkit.pipeline.steps import PipelineError, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Array
    from segkit.explorer.cache import Made, Outcome
    from segkit.explorer.computing import Computer
    from segkit.explorer.opening import Opened
    from segkit.explorer.regions import Region

Stale = Callable[[], bool]
_SAID = 1000
"""Bytes of what is said of a step, about."""
_MOST_ROWS = 5000
"""Rows of a table that a page is sent; a download has all."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Exploration:
    """An image, and all that can be asked about steps over it.

    Attributes
    ----------
    opened : Opened
        The image, and the steps to begin with.
    computer : Computer
        What runs steps.
    facts : Facts
        What ranges of sliders are made of.
    contrast : tuple of float
        The grey values that are drawn black and white.
    reference : ndarray or None
        Labels to compare with.
    own : mapping of str to Step
        Steps of somebody else's functions that may be run, by name.
    """

    opened: Opened
    computer: Computer
    facts: Facts
    contrast: tuple[float, float]
    reference: Array | None = None
    own: Mapping[str, Step] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        opened: Opened,
        computer: Computer,
        *,
        preset: str | None = None,
        reference: Array | None = None,
    ) -> Exploration:
        """Return an exploration; without steps of a pipeline, it begins with some."""
        sample = computer.levels.sample()
        contrast = ends(sample)
        facts = Facts.of(computer.levels.image.shape, sample)
        own = {s.function: s for s in opened.steps if ":" in s.function or s.bound}
        bare = [step for step in opened.steps if step.function != "load"]
        if preset is not None or not bare:
            first = [step for step in opened.steps if step.function == "load"]
            facts = replace(facts, method=summaries.best_method(sample))
            begin = PRESETS[preset or next(iter(PRESETS))](facts)
            opened = replace(opened, steps=(*first, *begin))
        return cls(opened, computer, facts, contrast, reference, own)

    def request(self, plain: Any) -> Request:
        """Return what a page asks for."""
        return read_request(plain, self.computer.levels.image.shape, self.own)

    def start(self) -> dict[str, Any]:
        """Return what a page has to know before it asks for anything."""
        image = self.computer.levels.image
        return {
            "name": self.opened.name,
            "note": self.opened.note,
            "file": str(self.opened.path) if self.opened.path else "",
            "shape": image.shape,
            "axes": image.axes,
            "spacing": image.spacing,
            "unit": image.unit,
            "dtype": image.dtype.name,
            "contrast": self.contrast,
            "steps": as_plain([Entry(named(step)) for step in self.opened.steps]),
            "addable": addable(),
            "presets": {name: self._preset(name) for name in PRESETS},
            "palette": PALETTE,
            "reference": self.reference is not None,
            "cache": self.computer.cache.limit,
            "large": is_large(self.computer.levels),
        }

    def _preset(self, name: str) -> list[dict[str, Any]]:
        """Return the steps of a preset, as a page holds them."""
        first = [step for step in self.opened.steps if step.function == "load"]
        steps = [*first, *PRESETS[name](self.facts)]
        return as_plain([Entry(named(step)) for step in steps])

    def described(self, request: Request) -> list[dict[str, Any]]:
        """Return what can be set of each step, and its arguments by keyword."""
        found = []
        for number, entry in enumerate(request.entries, start=1):
            one: dict[str, Any] = {"parameters": [], "special": entry.step.saves}
            try:
                step = named(entry.step)
                plain = as_plain([replace(entry, step=step)])[0]
                set_by = parameters_of(step, self.facts)
                one |= {"step": plain, "parameters": [p.described() for p in set_by]}
            except (PipelineError, TypeError, ValueError) as error:
                one["error"] = f"step {number}: {error}"
            found.append(one)
        return found

    def new(self, name: str) -> dict[str, Any]:
        """Return a step to begin with, as a page holds it."""
        step = new_step(name, self.facts)
        if step.function in SPECIAL:
            return {**entry_of(1, step), "on": True}
        return as_plain([Entry(named(step))])[0]

    def outcome(self, request: Request, stale: Stale) -> Outcome:
        """Run the steps over what is seen."""
        steps = request.steps
        bare = [step for _, step in steps]
        region = self.computer.region(
            bare, request.view, coarse=request.coarse, whole=request.whole
        )
        return self.computer.run(steps, region, stale)

    def view(self, request: Request, stale: Stale) -> bytes:
        """Return the arrays that a page draws, and what is said of each step."""
        outcome = self.outcome(request, stale)
        region, shown = outcome.region, outcome.region.inner
        bare = [step for _, step in request.steps]
        affordable = self.computer.wholes.affordable(bare, outcome)
        made = [
            one
            for one in outcome.steps
            if request.until is None or one.place <= request.until
        ]
        outcome = replace(outcome, steps=tuple(made))
        base = f"{region.level} {region.every} {region.shown}"
        arrays: dict[str, Array] = {}
        if request.have != base:
            part = _plane(outcome.image[shown])
            arrays["image"] = answers.grey_levels(part, *self.contrast)
        arrays |= self._objects(outcome, request.want)
        whole = region.whole and region.level == 0
        header = {
            "base": base,
            "level": region.level,
            "whole": whole,
            "affordable": affordable,
            "box": region.box(self.computer.levels.factors(region.level)),
            "size": _plane(outcome.image[shown]).shape,
            "steps": [self._told(one, outcome.region) for one in outcome.steps],
        }
        return answers.packed(header, arrays)

    def _told(self, made: Made, region: Region) -> dict[str, Any]:
        """Return what is said of a step, counted once."""
        said: dict[str, Any] = {}
        if made.value is not None:
            where = (slice(None),) * len(region.read) if region.whole else region.inner
            said, _ = self.computer.kept(
                f"told {where} {made.key}",
                lambda: summaries.counted(made, where),
                _SAID,
            )
        return {
            "place": made.place,
            "content": made.content,
            "exact": made.exact,
            "seconds": made.seconds,
            "error": made.error,
            **said,
        }

    def _objects(self, outcome: Outcome, want: Sequence[str]) -> dict[str, Array]:
        """Return the arrays of results that a page wants to draw."""
        shown = outcome.region.inner
        arrays: dict[str, Array] = {}
        last = outcome.last("labels", "mask")
        if last is not None and "objects" in want:
            part = _plane(np.asarray(last.value)[shown])
            if last.content == "labels":
                arrays["objects"] = answers.small_ids(part)
                arrays["colours"] = answers.colour_numbers(part)
            else:
                arrays["objects"] = (part != 0).astype(np.uint8)
        mask = outcome.last("mask")
        if mask is not None and "mask" in want:
            arrays["mask"] = (_plane(mask.value[shown]) != 0).astype(np.uint8)
        grey = outcome.last("grey")
        if grey is not None and "grey" in want:
            part = _plane(grey.value[shown])
            if part.ndim == 2:
                low, high = float(np.nanmin(part)), float(np.nanmax(part))
                top = high if high > low else low + max(1.0, abs(low) / 1000)
                arrays["grey"] = answers.grey_levels(part, low, top)
        return arrays

    def table(self, request: Request, stale: Stale) -> dict[str, Any]:
        """Return the properties of the objects of what is seen."""
        outcome = self.outcome(request, stale)
        last = outcome.last("labels", "mask")
        if last is None:
            return {"columns": {}, "objects": 0, "exact": True, "unit": ""}

        def made() -> Any:
            labels = summaries.objects_of(last)
            spec = self.computer.levels.spec(outcome.region.level)
            axes = self.computer.levels.image.axes
            assert labels is not None
            return summaries.table_of(labels, outcome.image, spec.spacing, axes)

        table, _ = self.computer.kept(f"table {last.key}", made)
        count = len(table["label"])
        return {
            "columns": summaries.rows_of({n: c[:_MOST_ROWS] for n, c in table.items()}),
            "objects": count,
            "exact": last.exact and outcome.region.whole,
            "unit": self.computer.levels.image.unit,
        }

    def scores(self, request: Request, stale: Stale) -> dict[str, Any]:
        """Return how well objects agree with the reference, where it is seen."""
        if self.reference is None:
            return {"scores": {}}
        outcome = self.outcome(request, stale)
        labels = summaries.objects_of(outcome.last("labels", "mask"))
        if labels is None or outcome.region.level:
            why = "no objects" if labels is None else "zoom in: this is a coarser level"
            return {"scores": {}, "why": why}
        box = tuple(slice(a, b) for a, b in outcome.region.read)
        found = summaries.scores_of(labels, self.reference[box])
        return {"scores": found, "whole": outcome.region.whole}

    def input_of(self, request: Request, place: int, stale: Stale) -> Array:
        """Return the grey values that a step is given, of what is seen."""
        before = tuple(
            replace(entry, on=entry.on and k < place)
            for k, entry in enumerate(request.entries)
        )
        outcome = self.outcome(replace(request, entries=before), stale)
        last: Made | None = outcome.last("grey", "mask", "labels")
        array = outcome.image if last is None else np.asarray(last.value)
        return array if outcome.region.whole else array[outcome.region.inner]

    def histogram(self, request: Request, place: int, stale: Stale) -> dict[str, Any]:
        """Return the histogram of what a step is given."""
        return summaries.histogram_of(self.input_of(request, place, stale))

    def thresholds(self, request: Request, place: int, stale: Stale) -> dict[str, Any]:
        """Return what all global thresholds make of what a step is given."""
        array = self.input_of(request, place, stale)
        return {"methods": summaries.thresholds_of(array)}

    def voxel(self, at: Any) -> float | None:
        """Return the grey value at a voxel; None beyond the image."""
        shape = self.computer.levels.image.shape
        if not isinstance(at, list) or len(at) != len(shape):
            return None
        box = tuple((int(k), int(k) + 1) for k in at)
        if any(a < 0 or b > n for (a, b), n in zip(box, shape, strict=True)):
            return None
        return float(self.computer.levels.read(0, box).item())

    def text(self, request: Request) -> str:
        """Return the steps that are on as a file, the last of which saves something."""
        return text_of(self.saved_steps(request))

    def saved_steps(self, request: Request) -> list[Step]:
        """Return the steps that are on; if none of them saves, one that does is added.

        Raises
        ------
        PipelineError
            If there is no step, or one cannot be saved.
        """
        steps = [step for _, step in request.steps]
        if not [step for step in steps if step.function != "load"]:
            raise PipelineError("there is no step to save; add one")
        if not any(step.saves for step in steps):
            steps.append(save("{name}-labels.tif"))
        return steps


def _plane(array: Array) -> Array:
    """Return a plane; of a volume, along the axis that has one voxel."""
    flat = [axis for axis, length in enumerate(array.shape) if length == 1]
    return array.squeeze(flat[0]) if array.ndim == 3 and flat else array
