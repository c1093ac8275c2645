"""The dock widget: a pipeline edited as controls, and run on a layer of napari."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.explorer.parameters import Facts, named, parameters_of
from segkit.explorer.presets import PRESETS
from segkit.explorer.registry import new_step
from segkit.napari.editing import (
    control_of,
    facts_of,
    moved,
    offered,
    run_on,
    value_of,
    with_value,
)
from segkit.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from segkit.explorer.parameters import Parameter
    from segkit.napari.layer_data import LayerData
    from segkit.pipeline.steps import Step


_SIGN = 30
"""Pixels of a button of one sign: the dock stands beside the image."""


class PipelineWidget:
    """Steps of a pipeline as controls, and a button that runs them on a layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Whose layers are worked on, and which gets what is made.

    Attributes
    ----------
    steps : list of Step
        The pipeline as it is set.
    native : QWidget
        What napari docks.
    message : str
        What was said last: that it is done, or why not.
    """

    def __init__(self, napari_viewer: Any) -> None:
        from magicgui import widgets

        self._viewer = napari_viewer
        self._make: Any = widgets
        self.steps: list[Step] = []
        self.layer = widgets.ComboBox(label="layer", choices=self._layers)
        self.preset = widgets.ComboBox(label="begin with", choices=[*PRESETS])
        self.added = widgets.ComboBox(label="add a step", choices=offered())
        self.file = widgets.FileEdit(label="file", mode="w", filter="*.toml *.json")
        self._rows = widgets.Container(labels=False)
        self.run_button = widgets.PushButton(text="Run")
        self._said = widgets.Label(value="")
        self._container = widgets.Container(
            scrollable=True,
            widgets=[
                self.layer,
                self.preset,
                self._rows,
                self.added,
                self._button("Add", self.add),
                self.file,
                self._button("Open the file", self.open),
                self._button("Save the file", self.save),
                self.run_button,
                self._said,
            ],
        )
        self.native = self._container.root_native_widget  # that scrolls
        self.native.controller = self  # Qt keeps that, and that keeps this
        self.preset.changed.connect(lambda _: self._told(self.begin))
        self.layer.changed.connect(lambda _: self._told(self._show))
        self.run_button.changed.connect(lambda _: self._told(self.run))
        self._told(self.begin)

    @property
    def message(self) -> str:
        """What was said last."""
        return str(self._said.value)

    def reset_choices(self, _: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        self.layer.reset_choices()

    def begin(self) -> None:
        """Take the steps of the chosen preset."""
        self.steps = [named(step) for step in PRESETS[self.preset.value](self._facts())]
        self._show()

    def add(self) -> None:
        """Append the chosen step."""
        self.steps = [*self.steps, new_step(self.added.value, self._facts())]
        self._show()

    def open(self) -> None:
        """Take the steps of the chosen file, which may only use those of segkit."""
        steps = Pipeline.load(Path(self.file.value)).steps
        self.steps = [named(step) for step in steps]
        self._show()

    def save(self) -> None:
        """Save the steps as the chosen file; `segkit run` runs it."""
        self._say(f"saved {Pipeline(*self.steps).save(Path(self.file.value))}")

    def run(self) -> None:
        """Run the steps on the layer, in a thread; what they make is added."""
        from napari.qt.threading import create_worker

        if self.layer.value is None:
            raise ValueError("there is no image; open one first")
        data, options, _ = self.layer.value.as_layer_data_tuple()
        # Connected as it is made: what nobody hears, it would raise in Qt, which ends.
        heard = {
            "returned": self._add_layers,
            "errored": self._say,
            "finished": lambda: setattr(self.run_button, "enabled", True),
        }
        self.run_button.enabled = False
        self._say("running ...")
        steps = list(self.steps)
        create_worker(run_on, data, options, steps, _connect=heard)

    def _add_layers(self, made: list[LayerData]) -> None:
        from napari.layers import Layer

        for one in made:
            self._viewer.add_layer(Layer.create(*one))
        self._say("done")

    def _layers(self, _: Any = None) -> list[tuple[str, Any]]:
        from napari.layers import Image, Labels

        shown = [one for one in self._viewer.layers if isinstance(one, Image | Labels)]
        return [(one.name, one) for one in shown]

    def _facts(self) -> Facts:
        if self.layer.value is None:
            return Facts((64, 64), 0.0, 255.0)
        return facts_of(*self.layer.value.as_layer_data_tuple()[:2])

    def _show(self) -> None:
        """Make the controls of the steps anew."""
        self._rows.clear()
        facts = self._facts()
        for number, step in enumerate(self.steps):
            self._rows.append(self._header(number, step))
            for parameter in parameters_of(step, facts):
                self._rows.append(self._control(number, parameter))
        self._say("")

    def _header(self, number: int, step: Step) -> Any:
        def move(by: int) -> None:
            self.steps = moved(self.steps, number, by)
            self._show()

        def remove() -> None:
            self.steps = [one for k, one in enumerate(self.steps) if k != number]
            self._show()

        title = self._make.Label(value=f"{number + 1}. {step.function}")
        buttons = [
            self._button("\u2191", lambda: move(-1), "move up"),
            self._button("\u2193", lambda: move(1), "move down"),
            self._button("\u2715", remove, "remove"),
        ]
        row = [title, *buttons]
        return self._make.Container(widgets=row, layout="horizontal", labels=False)

    def _control(self, number: int, parameter: Parameter) -> Any:
        control = control_of(parameter, value_of(self.steps[number], parameter))
        made = getattr(self._make, control.widget)(name="", **control.options)

        def change(value: Any) -> None:
            self.steps[number] = with_value(self.steps[number], parameter, value)
            self._say("")

        made.changed.connect(lambda value: self._told(lambda: change(value)))
        label = self._make.Label(value=parameter.name)
        return self._make.Container(
            widgets=[label, made], layout="horizontal", labels=False
        )

    def _button(self, text: str, action: Callable[[], None], tooltip: str = "") -> Any:
        made = self._make.PushButton(text=text, tooltip=tooltip)
        if len(text) == 1:  # Qt would make it as wide as a word
            made.max_width = _SIGN
        made.changed.connect(lambda _: self._told(action))
        return made

    def _told(self, action: Callable[[], None]) -> None:
        """Do something; what is wrong with what was asked for is said."""
        try:
            action()
        except (ValueError, TypeError, OSError, ImportError) as error:
            self._say(error)

    def _say(self, what: object) -> None:
        self._said.value = str(what)
