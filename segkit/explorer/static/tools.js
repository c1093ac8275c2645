// What stands below the pictures: objects, thresholds, a contact sheet, scores.

import { fill, h } from "../pages/dom.js";
import { short } from "../pages/format.js";
import { channel } from "./asking.js";
import { draw, palette } from "./drawing.js";
import { changed, optionOf, withOption } from "./model.js";
import { scale } from "./sliders.js";
import { objects } from "./steps.js";

const ROWS = 200;
const CELL = [168, 120];
const GREY = new Set(["low", "high", "below", "above", "h"]);
const LEVELS = new Set(["binarize", "hysteresis", "random_walker", "watershed"]);

/** Change what an element has; the focus stays at the same place in it. */
function keeping(element, change) {
  const all = () => [...element.querySelectorAll("button, select, input")];
  const at = all().indexOf(document.activeElement);
  change();
  if (at >= 0) all()[at]?.focus({ preventScroll: true });
}

/** The table of objects; a row and its object in the picture are chosen together. */
export class Table {
  constructor(model, { fail, chosen }) {
    this.model = model;
    this.chosen = chosen;
    this.sorted = { name: "label", down: false };
    this.first = 0;
    this.body = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Objects" });
    this.element = h("div", {}, this.body);
    this.ask = channel("table", "table", (found) => this.take(found), fail);
  }

  take(found) {
    this.found = found;
    this.show();
  }

  order() {
    const column = this.found.columns[this.sorted.name] ?? [];
    const places = column.map((_, k) => k).sort((a, b) => column[a] - column[b]);
    return this.sorted.down ? places.reverse() : places;
  }

  show() {
    if (this.found) keeping(this.body, () => this.fill());
  }

  fill() {
    const { columns, objects: number, exact, unit } = this.found;
    const names = Object.keys(columns);
    if (!number) {
      fill(this.body, h("p", { class: "quiet" }, "No objects: the counts beside the steps say which step lost them."));
      return;
    }
    const order = this.order();
    const at = order.findIndex((k) => columns.label[k] === this.model.now.object);
    if (at >= 0 && (at < this.first || at >= this.first + ROWS)) this.first = Math.max(0, at - 3);
    const rows = order.slice(this.first, this.first + ROWS);
    fill(this.body,
      h("p", { class: "quiet" }, `${objects(number)}${exact ? "" : " of this view"}`,
        unit === "pixel" ? ", lengths in pixels" : `, lengths in ${unit}`, " ",
        h("button", { type: "button", class: "plain", on: { click: () => this.download() } }, "CSV")),
      h("table", {}, h("thead", {}, h("tr", {}, names.map((name) => this.head(name)))),
        h("tbody", {}, rows.map((k) => this.row(k, names, columns)))),
      this.first + ROWS < order.length
        ? h("button", { type: "button", on: { click: () => this.page(ROWS) } }, "Next rows") : null,
      this.first ? h("button", { type: "button", on: { click: () => this.page(-ROWS) } }, "Rows before") : null);
    this.body.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
  }

  page(by) {
    this.first = Math.max(0, this.first + by);
    this.model.now.object = null;
    this.show();
  }

  head(name) {
    const mine = this.sorted.name === name;
    return h("th", { scope: "col", class: "number", "aria-sort": mine ? (this.sorted.down ? "descending" : "ascending") : "none" },
      h("button", {
        type: "button", class: "plain", on: {
          click: () => {
            this.sorted = { name, down: mine && !this.sorted.down };
            this.first = 0;
            this.show();
          },
        },
      }, name.replaceAll("_", " ")));
  }

  row(k, names, columns) {
    const id = columns.label[k];
    const chosen = id === this.model.now.object;
    return h("tr", { class: chosen ? "chosen" : null, on: { click: () => this.pick(k) } },
      names.map((name, place) => {
        const value = columns[name][k];
        const text = typeof value === "boolean" ? (value ? "yes" : "no") : short(value);
        return h("td", { class: "number", title: value }, place ? text
          : h("button", { type: "button", class: "plain", "aria-pressed": chosen ? "true" : "false" }, String(id)));
      }));
  }

  pick(k) {
    const { columns } = this.found;
    const place = Object.keys(columns).filter((name) => name.startsWith("centroid"));
    const { spacing } = this.model;
    this.model.set({
      object: columns.label[k], cross: true,
      at: place.map((name, axis) => Math.round(columns[name][k] / (spacing[axis] || 1))),
    });
    this.chosen(columns.label[k], this.model.now.at);
    this.show();
  }

  download() {
    const names = Object.keys(this.found.columns);
    const lines = this.order().map((k) => names.map((name) => this.found.columns[name][k]).join(","));
    save(new Blob([[names.join(","), ...lines, ""].join("\n")], { type: "text/csv" }), "objects.csv");
  }
}

/** Let the browser keep a file. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** The histogram of what the chosen step is given, with thresholds that can be dragged. */
export class Histogram {
  constructor(model, { fail }) {
    this.model = model;
    this.canvas = h("canvas", { class: "histogram", height: 90, role: "img", "aria-label": "Histogram of what the chosen step is given" });
    this.methods = h("div", { class: "methods" });
    this.title = h("p", { class: "quiet" });
    this.element = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Histogram and thresholds" },
      h("div", { class: "levels" }, h("div", {}, this.title, this.canvas), this.methods));
    this.ask = channel("histogram", "histogram", (found) => {
      this.found = found;
      this.draw();
    }, fail);
    this.askMethods = channel("thresholds", "thresholds", (found) => {
      this.list = found.methods;
      keeping(this.methods, () => this.showMethods());
      this.draw();
    }, fail);
    this.listen();
    model.listen(() => this.found && this.element.isConnected && this.draw());
  }

  /** The step that a threshold is taken by: the chosen one, or the next that has one. */
  place() {
    const { steps, place } = this.model.now;
    if (LEVELS.has(steps[place]?.run)) return place;
    const found = steps.findIndex(({ run }) => LEVELS.has(run));
    return found < 0 ? place : found;
  }

  refresh(body) {
    const place = this.place();
    this.ask({ ...body, place });
    this.askMethods({ ...body, place });
  }

  /** The grey values that the step has, as [path, value]. */
  lines() {
    const step = this.model.now.steps[this.place()];
    if (!step) return [];
    const options = step.with ?? {};
    const own = Object.keys(options).filter((name) => GREY.has(name)).map((name) => [[name], options[name]]);
    const seeds = options.markers ?? {};
    return [...own, ...["below", "above"].filter((name) => name in seeds)
      .map((name) => [["markers", name], seeds[name]])];
  }

  draw() {
    const { canvas, found } = this;
    const width = canvas.clientWidth || 280;
    canvas.width = width;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const most = Math.log1p(Math.max(...found.counts));
    const step = this.model.now.steps[this.place()];
    fill(this.title, step ? `Grey values that ${step.run} is given (logarithmic)` : "Grey values");
    context.clearRect(0, 0, width, 90);
    context.fillStyle = style.color;
    found.counts.forEach((count, k) => {
      const tall = most ? (80 * Math.log1p(count)) / most : 0;
      context.fillRect((k * width) / found.counts.length, 90 - tall, Math.max(1, width / found.counts.length), tall);
    });
    const method = step?.with?.method ?? "otsu";
    const shown = step?.run === "binarize"
      ? (this.list ?? []).filter((one) => one.method === method).map((one) => [["method"], one.threshold])
      : this.lines();
    context.fillStyle = style.accentColor === "auto" ? "#e66101" : style.accentColor;
    shown.forEach(([, value]) => context.fillRect(this.x(value) - 1, 0, 3, 90));
  }

  x(value) {
    const { low, high } = this.found;
    return ((value - low) / (high - low)) * this.canvas.width;
  }

  listen() {
    let path = null;
    const take = (event, moving) => {
      const { low, high } = this.found;
      const value = low + ((high - low) * event.offsetX) / this.canvas.clientWidth;
      this.set(path, Number(Math.min(high, Math.max(low, value)).toPrecision(4)), moving);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (!this.found) return;
      this.canvas.setPointerCapture(event.pointerId);
      const near = this.lines().sort((a, b) =>
        Math.abs(this.x(a[1]) - event.offsetX) - Math.abs(this.x(b[1]) - event.offsetX))[0];
      path = near?.[0] ?? ["method"];
      take(event, true);
    });
    this.canvas.addEventListener("pointermove", (event) => path && take(event, true));
    this.canvas.addEventListener("pointerup", (event) => {
      if (path) take(event, false);
      path = null;
    });
  }

  /** Set a threshold; a method that finds it becomes one that is given it. */
  set(path, value, moving) {
    const place = this.place();
    const step = this.model.now.steps[place];
    if (!step || !LEVELS.has(step.run) || (path[0] === "method" && !["binarize", "hysteresis"].includes(step.run))) return;
    const steps = changed(this.model.now.steps, place, (one) => {
      if (one.run === "binarize") return { run: "hysteresis", channel: one.channel, with: { low: value, high: value }, on: one.on };
      const same = one.run === "hysteresis" && one.with.low === one.with.high;
      const next = withOption(one, path[0] === "method" ? ["low"] : path, value);
      if (same || (one.run === "hysteresis" && next.with.low > next.with.high)) next.with.low = next.with.high = value;
      return next;
    });
    const list = steps[place].run !== step.run || !moving;
    this.model.set({ steps, place, moving, ...(list ? { list: true } : {}) }, { gesture: `threshold ${place}` });
  }

  showMethods() {
    const step = this.model.now.steps[this.place()];
    const usable = step && ["binarize", "hysteresis"].includes(step.run);
    fill(this.methods, h("table", {}, h("caption", { class: "quiet" }, usable ? "A click takes a method" : "Methods"),
      h("thead", {}, h("tr", {}, ["method", "threshold", "above", "objects"].map((name, k) =>
        h("th", { scope: "col", class: k ? "number" : null }, name)))),
      h("tbody", {}, this.list.map((one) => h("tr", {},
        h("td", {}, usable ? h("button", { type: "button", class: "plain", on: { click: () => this.takeMethod(one.method) } }, one.method) : one.method),
        h("td", { class: "number" }, one.threshold === null ? "none" : short(one.threshold)),
        h("td", { class: "number" }, `${short(100 * one.fraction)} %`),
        h("td", { class: "number" }, short(one.objects)))))));
  }

  takeMethod(method) {
    const place = this.place();
    const steps = changed(this.model.now.steps, place, (one) => ({
      run: "binarize", channel: one.channel, on: one.on, with: { ...(one.run === "binarize" ? one.with : {}), method },
    }));
    this.model.set({ steps, place, list: true });
  }
}

/** Pictures for several values of one or two parameters; a click takes them. */
export class Sheet {
  constructor(start, model, steps, { fail, view }) {
    Object.assign(this, { model, steps, fail, view });
    this.colours = palette(start.palette);
    this.axes = start.shape.length === 3 ? [1, 2] : [0, 1];
    this.first = h("select", { "aria-label": "Parameter", on: { change: () => this.refresh() } });
    this.second = h("select", { "aria-label": "Second parameter", on: { change: () => this.refresh() } });
    this.grid = h("div", { class: "sheet" });
    this.element = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Contact sheet" },
      h("p", {}, this.first, " and ", this.second), this.grid);
    this.channels = [];
  }

  /** The parameters that can be varied. */
  options() {
    const { length } = this.model.now.steps;
    return this.steps.described.slice(0, length).flatMap(({ parameters }, place) => parameters
      .filter(({ kind, low, high }) => kind === "choice" || kind === "switch" || high > low)
      .map((parameter) => ({ place, parameter, id: `${place}.${parameter.name}` })));
  }

  refresh() {
    const all = this.options();
    const fillSelect = (select, none) => {
      const kept = select.value;
      fill(select, none ? h("option", { value: "" }, "nothing else") : null, all.map(({ id, place, parameter }) =>
        h("option", { value: id }, `${place + 1} ${this.model.now.steps[place]?.run} ${parameter.name}`)));
      select.value = all.some(({ id }) => id === kept) ? kept : none ? "" : all.find(({ place }) => place === this.model.now.place)?.id ?? all[0]?.id ?? "";
    };
    fillSelect(this.first, false);
    fillSelect(this.second, true);
    const [one, two] = [this.first, this.second].map((select) => all.find(({ id }) => id === select.value));
    if (!one) {
      fill(this.grid, h("p", { class: "quiet" }, "No step has anything to vary."));
      return;
    }
    const rows = two && two.id !== one.id ? this.values(two, 3) : [null];
    const cells = rows.flatMap((down) => this.values(one, 5).map((across) => this.cell(one, across, two, down)));
    this.grid.style.setProperty("--columns", this.values(one, 5).length);
    keeping(this.grid, () => fill(this.grid, cells.map(({ element }) => element)));
    cells.forEach((cell, k) => this.draw(cell, k));
  }

  values({ place, parameter }, count) {
    if (parameter.kind === "choice") return parameter.choices;
    if (parameter.kind === "switch") return [false, true];
    const { value, place: at } = scale(parameter);
    const now = optionOf(this.model.now.steps[place], parameter.path) ?? parameter.default ?? value(500);
    const middle = at(now);
    const found = [];
    for (let k = 0; k < count; k += 1) {
      const step = (k - (count - 1) / 2) * (parameter.log ? 60 : 80);
      found.push(step ? value(Math.min(1000, Math.max(0, middle + step))) : now);
    }
    return [...new Set(found)];
  }

  cell(one, across, two, down) {
    let steps = changed(this.model.now.steps, one.place, (step) => withOption(step, one.parameter.path, across));
    if (down !== null) steps = changed(steps, two.place, (step) => withOption(step, two.parameter.path, down));
    const canvas = h("canvas", { width: CELL[0], height: CELL[1], "aria-hidden": "true" });
    const said = [across, down].filter((value) => value !== null).map(String).join(", ");
    const count = h("span", { class: "quiet" });
    const element = h("button", {
      type: "button", class: "cell", on: { click: () => this.model.set({ steps, list: true, place: one.place }) },
    }, canvas, h("span", {}, said, " ", count));
    return { element, canvas, count, steps };
  }

  draw({ canvas, count, steps }, k) {
    this.channels[k] ??= channel("view", `sheet ${k}`, (found, body) => body.draw(found), this.fail);
    const view = this.view();
    const [down, across] = this.axes;
    const zoom = Math.min(CELL[1] / (view[down][1] - view[down][0]), CELL[0] / (view[across][1] - view[across][0]));
    const paint = ({ header, arrays }) => {
      const box = this.axes.map((axis) => header.box[axis]);
      const centre = this.axes.map((axis) => (view[axis][0] + view[axis][1]) / 2);
      draw(canvas.getContext("2d"), { arrays, size: header.size, box }, { centre, zoom: [zoom, zoom] },
        { under: "image", contours: true, fill: 0, colours: this.colours, chosen: null });
      const last = header.steps.findLast((one) => one.objects !== undefined);
      const wrong = header.steps.find((one) => one.error);
      fill(count, wrong ? "raised" : last ? objects(last.objects) : null);
    };
    const body = { steps, view, want: ["objects"] };
    Object.defineProperty(body, "draw", { value: paint });
    this.channels[k](body);
  }
}

const FIRST = ["average_precision_50", "f1_50", "panoptic_quality", "dice", "average_precision", "adapted_rand_error"];
const rank = (name) => (FIRST.indexOf(name) + FIRST.length + 1) % (FIRST.length + 1);

/** How well objects agree with a reference, and how that has changed. */
export class Scores {
  constructor({ fail }) {
    this.element = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Scores" });
    this.ask = channel("scores", "scores", (found) => this.show(found), fail);
  }

  show({ scores, why, whole }) {
    if (JSON.stringify(scores) !== JSON.stringify(this.last)) {
      this.before = this.last ?? {};
      this.last = scores;
    }
    const { before } = this;
    const names = Object.keys(scores).sort((a, b) => rank(a) - rank(b));
    fill(this.element, h("p", { class: "quiet" }, why ?? (whole ? "Against the reference" : "Against the reference, in this view")),
      h("table", {}, h("thead", {}, h("tr", {}, ["score", "now", "before"].map((name, k) =>
        h("th", { scope: "col", class: k ? "number" : null }, name)))),
      h("tbody", {}, names.map((name) => h("tr", {}, h("td", {}, name.replaceAll("_", " ")),
        h("td", { class: "number" }, short(scores[name])), h("td", { class: "number quiet" }, short(before[name])))))));
  }
}

/** Ask how far a run over the whole image is, until it ends. */
export async function followRun(show) {
  for (;;) {
    const found = await (await fetch("progress")).json();
    show(found);
    if (!found.running) return;
    await new Promise((done) => setTimeout(done, 500));
  }
}
