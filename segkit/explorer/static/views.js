// The pictures of an image: panes that share one zoom, one place and one crosshair.

import { fill, h } from "../pages/dom.js";
import { channel } from "./asking.js";
import { draw, drawMarks, palette } from "./drawing.js";

const KINDS = {
  contours: { name: "Contours", want: ["objects"], how: { under: "image", contours: true } },
  image: { name: "Image", want: [], how: { under: "image" } },
  grey: { name: "Step", want: ["grey"], how: { under: "grey" } },
  mask: { name: "Mask", want: ["mask"], how: { under: null, objects: "mask", fill: 1 } },
  objects: { name: "Objects", want: ["objects"], how: { under: null, fill: 1 } },
  other: { name: "Steps B", want: ["objects"], how: { under: "image", contours: true } },
};
const MOST_ZOOM = 64;
const REST = 300; // milliseconds without a change after which the whole image is computed
const SEEDS = ["#000000", "#e66101", "#5eb2ff", "#fdd835", "#ab63fa", "#00c88c"];

export class Views {
  /**
   * @param {object} start What the server says of the image.
   * @param {Model} model
   * @param {object} calls `told(header)`, `failed(error, body)`, `seeded(stroke)`,
   *   `hovered(text)`, `voxel(at)`.
   */
  constructor(start, model, calls) {
    this.start = start;
    this.model = model;
    this.calls = calls;
    this.colours = palette(start.palette);
    this.planes = start.shape.length === 3 ? [[1, 2], [0, 2], [0, 1]] : [[0, 1]];
    this.element = h("div", { class: "views image" });
    this.panes = [];
    this.data = new Map();
    this.channels = new Map();
    this.drawing = null; // the label of the seeds that the pointer draws
    this.before = false; // whether the picture is shown without contours
    this.resized = new ResizeObserver(() => {
      this.panes.forEach((pane) => this.measure(pane));
      this.refresh();
    });
    this.layout();
    model.listen((names) => {
      if (names.includes("view") && !names.includes("fitted")) model.now.fitted = false;
      if (names.includes("panes")) this.layout();
      else if (names.some((name) => ["steps", "other", "until"].includes(name))) this.ask();
      else if (names.includes("view") || names.includes("at")) this.refresh();
      else this.paintAll();
    });
  }

  layout() {
    const kinds = this.model.now.panes.filter((kind) => KINDS[kind]);
    this.panes.forEach((pane) => this.resized.unobserve(pane.canvas));
    this.panes = kinds.flatMap((kind, first) =>
      (first === 0 ? this.planes : this.planes.slice(0, 1)).map((axes) => this.pane(kind, axes)));
    this.element.dataset.count = this.panes.length;
    this.element.classList.toggle("volume", this.planes.length > 1 && kinds.length === 1);
    fill(this.element, this.panes.map((pane) => pane.element));
    this.panes.forEach((pane) => this.resized.observe(pane.canvas));
  }

  pane(kind, axes) {
    const letters = axes.map((axis) => this.start.axes[axis]).join("");
    const named = this.planes.length > 1 ? `${KINDS[kind].name} ${letters}` : KINDS[kind].name;
    const canvas = h("canvas", { role: "img", "aria-label": `${named} of ${this.start.name}` });
    const note = h("span", { class: "note" });
    const element = h("figure", { class: "pane" }, canvas,
      h("figcaption", {}, h("span", {}, named), note));
    const source = `${kind === "other" ? "b" : "a"} ${axes}`;
    const pane = { kind, axes, canvas, note, element, source, context: canvas.getContext("2d", { alpha: false }) };
    this.listen(pane);
    return pane;
  }

  measure(pane) {
    const { clientWidth, clientHeight } = pane.canvas;
    const ratio = window.devicePixelRatio || 1;
    pane.canvas.width = Math.max(1, Math.round(clientWidth * ratio));
    pane.canvas.height = Math.max(1, Math.round(clientHeight * ratio));
    pane.ratio = ratio;
    if ((!this.model.now.view || this.model.now.fitted) && pane === this.panes[0]) this.fit();
  }

  /** Show the whole image. */
  fit() {
    const pane = this.panes[0];
    if (!pane?.canvas.width) return;
    const [down, across] = pane.axes;
    const { shape } = this.start;
    const zoom = Math.min(pane.canvas.width / shape[across],
      pane.canvas.height / (shape[down] * this.aspect(down, across)));
    const view = { centre: shape.map((n) => n / 2), zoom: zoom / pane.ratio };
    this.model.set({ view, fitted: true });
  }

  aspect(down, across) {
    return this.start.spacing[down] / this.start.spacing[across];
  }

  viewOf(pane) {
    const { view } = this.model.now;
    const [down, across] = pane.axes;
    const flat = this.start.axes.length - 1;
    const zoom = view.zoom * pane.ratio;
    return {
      centre: [view.centre[down], view.centre[across]],
      zoom: [zoom * this.aspect(down, flat), zoom * this.aspect(across, flat)],
    };
  }

  /** The box of the image that a pane shows. */
  boxOf(pane) {
    const { centre, zoom } = this.viewOf(pane);
    const sides = [pane.canvas.height, pane.canvas.width];
    return this.start.shape.map((length, axis) => {
      const place = pane.axes.indexOf(axis);
      if (place < 0) return [this.model.now.at[axis], this.model.now.at[axis] + 1];
      const half = sides[place] / zoom[place] / 2;
      return [Math.max(0, centre[place] - half), Math.min(length, centre[place] + half)];
    });
  }

  /** Ask for what is not here of the view, and paint what is. */
  refresh() {
    this.paintAll();
    clearTimeout(this.later);
    this.later = setTimeout(() => this.ask(), 60);
  }

  ask(given) {
    this.send(given);
  }

  /** Ask for all pictures, or the first of an image's planes only, or by the whole image. */
  send({ coarse = 0, first = false, whole = false } = {}) {
    clearTimeout(this.wholly);
    if (!this.model.now.view) return;
    const sources = new Map();
    for (const pane of this.panes) {
      if (!pane.canvas.width || (first && pane.axes !== this.panes[0].axes)) continue;
      const known = sources.get(pane.source) ?? { pane, want: new Set() };
      KINDS[pane.kind].want.forEach((one) => known.want.add(one));
      sources.set(pane.source, known);
    }
    for (const [source, { pane, want }] of sources) {
      const { steps, other, until } = this.model.now;
      this.channelOf(source)({
        steps: source.startsWith("b") ? other ?? steps : steps,
        view: this.boxOf(pane), until: until ?? null, coarse, whole, want: [...want],
        have: this.data.get(source)?.base ?? "",
      });
    }
  }

  channelOf(source) {
    if (!this.channels.has(source)) {
      this.channels.set(source, channel("view", source,
        (found, body) => this.take(source, found, body), (error) => this.calls.failed(error),
        (took, body) => this.calls.timed(took, body)));
    }
    return this.channels.get(source);
  }

  take(source, { header, arrays }, body) {
    const before = this.data.get(source);
    if (!arrays.image) arrays.image = before?.arrays.image;
    this.data.set(source, {
      arrays, base: header.base, size: header.size, header,
      box: source.split(" ")[1].split(",").map((axis) => header.box[axis]),
    });
    this.panes.filter((pane) => pane.source === source).forEach((pane) => this.paint(pane));
    const ours = this.panes.find((pane) => pane.source.startsWith("a")) ?? this.panes[0];
    if (source === ours.source) this.calls.told(header, body); // what B is, its own picture says
    if (header.affordable && !body.whole && !this.model.now.moving) {
      clearTimeout(this.wholly);
      this.wholly = setTimeout(() => this.send({ whole: true }), REST);
    }
  }

  paintAll() {
    this.panes.forEach((pane) => this.paint(pane));
  }

  paint(pane) {
    const data = this.data.get(pane.source);
    if (!data?.arrays.image || !pane.canvas.width || !this.model.now.view) return;
    const { how } = KINDS[pane.kind];
    const bare = this.before && how.contours;
    const view = this.viewOf(pane);
    draw(pane.context, data, view, {
      ...how, contours: how.contours && !bare, colours: this.colours,
      fill: how.fill ?? (bare ? 0 : this.model.now.fill), chosen: this.model.now.object,
    });
    const cross = this.model.now.cross ? this.model.now.at : null;
    drawMarks(pane.context, { strokes: this.strokes(pane), cross }, view, SEEDS, pane.axes);
    const { header } = data;
    const last = header.steps.at(-1);
    fill(pane.note, told(header, last, this.start.large));
    this.painted?.(performance.now());
  }

  strokes(pane) {
    const steps = this.model.now.steps;
    const all = steps.filter((step) => step.on).flatMap((step) => step.with?.markers?.strokes ?? []);
    const flat = this.start.shape.findIndex((_, axis) => !pane.axes.includes(axis));
    const here = flat < 0 ? all
      : all.filter((one) => Math.abs(one.points[0][flat] - this.model.now.at[flat]) <= (one.radius ?? 1));
    return this.stroke ? [...here, this.stroke] : here;
  }

  // ------------------------------------------------------------------ pointer

  at(pane, event) {
    const box = pane.canvas.getBoundingClientRect();
    const { centre, zoom } = this.viewOf(pane);
    const x = (event.clientX - box.left) * pane.ratio - pane.canvas.width / 2;
    const y = (event.clientY - box.top) * pane.ratio - pane.canvas.height / 2;
    const found = [...this.model.now.at];
    [found[pane.axes[0]], found[pane.axes[1]]] = [centre[0] + y / zoom[0], centre[1] + x / zoom[1]];
    return found;
  }

  objectAt(pane, at) {
    const data = this.data.get(pane.source);
    const objects = data?.arrays.objects;
    if (!objects) return 0;
    const [row, column] = pane.axes.map((axis, k) => {
      const [start, stop] = data.box[k];
      return Math.floor((at[axis] - start) / ((stop - start) / data.size[k]));
    });
    if (row < 0 || column < 0 || row >= data.size[0] || column >= data.size[1]) return 0;
    return objects[row * data.size[1] + column];
  }

  listen(pane) {
    const { canvas } = pane;
    let from = null;
    let moved = false;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 300), pane, this.at(pane, event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      moved = false;
      const at = this.at(pane, event);
      from = { at, centre: this.model.now.view.centre };
      if (this.drawing !== null) {
        this.stroke = { label: this.drawing, radius: this.model.now.brush, points: [at.map(Math.floor)] };
        this.paint(pane);
      }
    });
    canvas.addEventListener("pointermove", (event) => {
      const at = this.at(pane, event);
      this.hover(pane, at);
      if (!from) return;
      if (this.stroke) {
        this.stroke.points.push(at.map(Math.floor));
        this.paint(pane);
        return;
      }
      const step = at.map((place, axis) => place - from.at[axis]);
      if (!moved && Math.hypot(...step) * this.model.now.view.zoom < 4) return;
      moved = true;
      const { view } = this.model.now;
      this.model.set({ view: { ...view, centre: view.centre.map((c, axis) => c - step[axis]) } });
    });
    canvas.addEventListener("pointerup", (event) => {
      if (this.stroke) {
        const { stroke } = this;
        this.stroke = null;
        this.calls.seeded(stroke);
      } else if (from && !moved) this.choose(pane, this.at(pane, event));
      from = null;
    });
    canvas.addEventListener("pointercancel", () => {
      from = this.stroke = null;
    });
  }

  choose(pane, at) {
    const whole = at.map((place, axis) =>
      Math.min(Math.max(0, Math.floor(place)), this.start.shape[axis] - 1));
    this.model.set({ at: whole, cross: true, object: this.objectAt(pane, at) });
    this.calls.chosen(this.model.now.object);
  }

  hover(pane, at) {
    const inside = at.every((place, axis) => place >= 0 && place < this.start.shape[axis]);
    if (!inside) return this.calls.hovered("");
    const whole = at.map(Math.floor);
    const id = this.objectAt(pane, at);
    this.calls.hovered(`voxel ${whole.join(", ")}`, id ? `object ${id}` : "", whole);
    return undefined;
  }

  zoomBy(factor, pane = this.panes[0], around = null) {
    const { view } = this.model.now;
    const zoom = Math.min(MOST_ZOOM, Math.max(0.001, view.zoom * factor));
    const share = view.zoom / zoom;
    const centre = around
      ? view.centre.map((c, axis) => (pane.axes.includes(axis) ? around[axis] + (c - around[axis]) * share : c))
      : view.centre;
    this.model.set({ view: { centre, zoom } });
  }

  pan(down, across) {
    const { view } = this.model.now;
    const { axes, canvas } = this.panes[0];
    const centre = [...view.centre];
    centre[axes[0]] += (down * canvas.height) / 8 / view.zoom;
    centre[axes[1]] += (across * canvas.width) / 8 / view.zoom;
    this.model.set({ view: { ...view, centre } });
  }

  /** Move a place into the middle, unless it is seen. */
  reveal(at) {
    const pane = this.panes[0];
    const box = this.boxOf(pane);
    if (pane.axes.every((axis) => at[axis] >= box[axis][0] && at[axis] < box[axis][1])) return;
    const { view } = this.model.now;
    this.model.set({ view: { ...view, centre: view.centre.map((c, axis) => (pane.axes.includes(axis) ? at[axis] : c)) } });
  }

  /** Show another plane of a volume. */
  slice(by) {
    if (this.planes.length < 2) return;
    const at = [...this.model.now.at];
    at[0] = Math.min(Math.max(0, at[0] + by), this.start.shape[0] - 1);
    this.model.set({ at });
  }

  /** The pictures as seen, beside each other, as a PNG. */
  async download() {
    const width = this.panes.reduce((sum, pane) => sum + pane.canvas.width, 0);
    const height = Math.max(...this.panes.map((pane) => pane.canvas.height));
    const canvas = h("canvas", { width, height });
    const context = canvas.getContext("2d");
    let x = 0;
    for (const pane of this.panes) {
      context.drawImage(pane.canvas, x, 0);
      x += pane.canvas.width;
    }
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }
}

/** How much of the image a picture is made of, in words; null if that is all. */
function told(header, last, large) {
  if (header.whole) return large ? "of the whole image" : null;
  const part = header.level ? `approximate, 1:${2 ** header.level}` : last && !last.exact ? "of this view" : null;
  return part && header.affordable ? `${part}; the whole is being computed` : part;
}

export const paneKinds = Object.entries(KINDS).map(([kind, { name }]) => [kind, name]);
