// The list of steps: each with its switch, its parameters, and what came of it.

import { announce, fill, h, settled } from "../pages/dom.js";
import { duration, short } from "../pages/format.js";
import { asked } from "./asking.js";
import { changed, optionOf, withOption } from "./model.js";
import { controls } from "./sliders.js";

const TYPED = 500; // milliseconds after the last letter that is typed into a choice

export class Steps {
  constructor(start, model, { fail }) {
    this.start = start;
    this.model = model;
    this.fail = fail;
    this.described = [];
    this.list = h("ol", { class: "steps", "aria-label": "Steps" });
    this.adding = this.adder();
    this.element = h("section", { "aria-labelledby": "steps-title" },
      h("div", { class: "head" }, h("h2", { id: "steps-title" }, "Steps"), this.buttons()),
      this.adding.element, this.list);
    model.listen((names) => {
      if (names.includes("list")) this.built = this.build();
      else if (names.includes("until") || names.includes("place")) this.mark();
    });
  }

  buttons() {
    const button = (text, title, call) =>
      h("button", { type: "button", class: "plain", title, on: { click: call } }, text);
    let typed = false;
    const take = (before) => {
      const steps = this.start.presets[presets.value];
      presets.value = "";
      presets.blur();
      typed = false;
      // Steps that were set while a name was typed stay: they were asked for last.
      if (steps && before === this.model.now.steps) this.model.set({ steps, list: true, place: steps.length - 1, until: null });
    };
    const settle = settled(take, TYPED);
    const presets = h("select", {
      "aria-label": "Begin with other steps", title: "Begin with other steps; z takes it back",
      // Letters of a name are typed into it, and would be keys of the page if it let them go.
      on: {
        change: () => (typed ? settle : take)(this.model.now.steps),
        keydown: () => {
          typed = true;
          if (presets.value) settle(this.model.now.steps);
        },
      },
    }, h("option", { value: "" }, "Begin with"), Object.keys(this.start.presets).map((name) =>
      h("option", { value: name }, name.replaceAll("_", " "))));
    return h("span", { class: "buttons" }, presets,
      button("Undo", "z", () => this.model.undo()),
      button("Redo", "shift z", () => this.model.redo()),
      button("Add", "add a step", () => this.adding.open()));
  }

  /** A field in which a step is found by its name or by what it does. */
  adder() {
    const found = h("ul", { class: "found" });
    const field = h("input", { type: "search", "aria-label": "Find a step to add", placeholder: "find a step" });
    const element = h("div", { class: "adding", hidden: true }, field, found);
    const show = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fitting = this.start.addable.filter(({ name, about }) =>
        words.every((word) => `${name} ${about}`.toLowerCase().includes(word)));
      fill(found, fitting.map(({ name, about }) => h("li", {},
        h("button", { type: "button", class: "plain", on: { click: () => this.add(name) } },
          h("b", {}, name), " ", h("span", { class: "quiet" }, about)))),
      fitting.length ? null : h("li", { class: "quiet" }, "no step is called so"));
    };
    field.addEventListener("input", show);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter") found.querySelector("button")?.click();
    });
    const close = () => {
      element.hidden = true;
    };
    const open = () => {
      element.hidden = !element.hidden;
      if (element.hidden) return;
      field.value = "";
      show();
      field.focus();
    };
    return { element, open, close };
  }

  async add(name) {
    try {
      const step = await asked("new", { name });
      const steps = [...this.model.now.steps];
      const place = name.startsWith("save") ? steps.length : Math.min(steps.length, this.model.now.place + 1);
      steps.splice(place, 0, step);
      this.adding.close();
      this.model.set({ steps, list: true, place });
      announce(`${name} added as step ${place + 1}`);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Make the list anew, once the server has described what can be set. */
  async build() {
    const { steps } = this.model.now;
    // Its rows are those of the list before: a second click would meet the next step.
    const focused = document.activeElement?.id || this.focused;
    this.focused = focused;
    this.list.inert = true;
    const mine = this.building = (this.building ?? 0) + 1;
    try {
      const described = await asked("describe", { steps });
      if (mine === this.building) this.described = described;
    } catch (error) {
      this.list.inert = false;
      this.fail(error);
      return;
    }
    if (mine !== this.building) return;
    if (steps !== this.model.now.steps) { // a slider has moved meanwhile
      await this.build();
      return;
    }
    this.rows = steps.map((step, place) => this.row(step, place));
    fill(this.list, this.rows.map(({ element }) => element));
    this.list.inert = false;
    this.focused = null;
    if (focused) document.getElementById(focused)?.focus();
    this.mark();
    // What is known of other steps is nothing about these.
    if (this.of === this.model.now.steps) this.tell(this.header, this.of);
  }

  row(step, place) {
    const fixed = step.run === "load";
    const count = h("span", { class: "count number" });
    const error = h("p", { class: "bad", role: "status" });
    const name = h("button", {
      type: "button", class: "plain name", id: `step-${place}`,
      title: "Choose this step; again: show its result and nothing after it",
      on: { click: () => this.choose(place) },
    }, h("span", { class: "quiet" }, `${place + 1} `), step.run.split(":").at(-1));
    const on = h("input", {
      type: "checkbox", checked: step.on, "aria-label": `${step.run} on`, id: `on-${place}`,
      on: { change: () => this.change(place, (one) => ({ ...one, on: on.checked })) },
    });
    const small = (text, what, call) => h("button", {
      type: "button", class: "plain small", title: what, "aria-label": `${what}: ${step.run}`, on: { click: call },
    }, text);
    const element = h("li", { class: "step" },
      h("div", { class: "row" }, fixed ? null : on, name, count), error,
      fixed ? h("p", { class: "quiet fixed" }, openedBy(step)) : this.parameters(step, place),
      fixed ? null : h("div", { class: "moving" },
        small("↑ up", "move up", () => this.move(place, -1)),
        small("↓ down", "move down", () => this.move(place, 1)),
        small("✕ remove", "remove", () => this.remove(place))));
    return { element, count, error };
  }

  parameters(step, place) {
    const found = this.described[place];
    const kept = { ...step, ...(found.step ?? {}), on: step.on };
    if (found.error) return null; // told by what is computed
    return h("div", { class: "parameters" }, found.parameters.map((parameter) => {
      const first = step.arguments?.length && !Object.keys(step.with ?? {}).length;
      const value = first && parameter.kind === "text" ? step.arguments[0] : optionOf(kept, parameter.path);
      return controls(parameter, value, `p-${place}-${parameter.name}`, (next, moving) => {
        this.set(place, kept, parameter, next, moving);
      });
    }));
  }

  /** Set a parameter; while it moves, the pictures follow and the list stays. */
  set(place, kept, parameter, value, moving) {
    const steps = changed(this.model.now.steps, place, (step) => {
      if (parameter.kind === "text" && step.arguments?.length) return { ...step, arguments: [value] };
      const named = { ...step, arguments: undefined, with: structuredClone(step.arguments ? kept.with : step.with) };
      if (!named.arguments) delete named.arguments;
      return withOption(named, parameter.path, value);
    });
    const gesture = `${place} ${parameter.name}`;
    this.model.set({ steps, place, moving }, { gesture });
    if (!moving && value === undefined) this.model.tell(["list"]);
  }

  change(place, call) {
    this.model.set({ steps: changed(this.model.now.steps, place, call), list: true });
  }

  move(place, by) {
    const steps = [...this.model.now.steps];
    // Buttons of a list that is made anew just now may be of steps that are gone.
    if (!steps[place] || !steps[place + by] || steps[place + by].run === "load") return;
    [steps[place], steps[place + by]] = [steps[place + by], steps[place]];
    this.model.set({ steps, list: true, place: place + by });
  }

  remove(place) {
    if (!this.model.now.steps[place]) return;
    const steps = this.model.now.steps.filter((_, k) => k !== place);
    announce(`${this.model.now.steps[place].run} removed; z takes it back`);
    this.model.set({ steps, list: true, place: Math.max(0, Math.min(place, steps.length - 1)) });
  }

  choose(place) {
    const { until } = this.model.now;
    const again = this.model.now.place === place;
    const last = place >= this.model.now.steps.length - 1;
    this.model.set({ place, until: again && until !== place && !last ? place : null });
  }

  mark() {
    this.rows?.forEach(({ element }, place) => {
      element.classList.toggle("chosen", place === this.model.now.place);
      element.classList.toggle("unseen", this.model.now.until !== null && place > this.model.now.until);
      const button = element.querySelector(".name");
      button.setAttribute("aria-current", place === this.model.now.place ? "step" : "false");
    });
  }

  /** Say what came of each of some steps. */
  tell(header, of) {
    this.header = header;
    this.of = of;
    const by = new Map(header.steps.map((one) => [one.place, one]));
    this.rows?.forEach(({ count, error, element }, place) => {
      const one = by.get(place);
      fill(error, one?.error || null);
      element.classList.toggle("raised", Boolean(one?.error));
      fill(count, one && !one.error ? outcome(one) : null);
      count.title = one?.seconds ? `took ${duration(one.seconds)}` : "";
    });
  }

  /** Move to the parameter before or after the one that has the focus. */
  async parameter(by) {
    await this.built;
    const all = [...this.list.querySelectorAll(".parameter :is(.slider, select, input[type=checkbox], .wide)")];
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length];
    next?.focus();
  }
}

/** How a file is opened, in words. */
function openedBy(step) {
  return Object.entries(step.with ?? {}).map(([name, value]) =>
    `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

/** How many objects there are, in words. */
export function objects(number) {
  return `${short(number)} ${number === 1 ? "object" : "objects"}`;
}

function outcome(one) {
  if (one.content === "mask") return `${short(100 * one.fraction)} %`;
  if (one.objects !== undefined) return objects(one.objects);
  if (one.low !== undefined) return `${short(one.low)} to ${short(one.high)}`;
  return null;
}
