// The explorer: an image, the steps of a pipeline, and what they make of it meanwhile.

import { announce, fill, get, h, settled, themeButton } from "../pages/dom.js";
import { keys, keysButton } from "../pages/keys.js";
import { duration, short } from "../pages/format.js";
import { asked } from "./asking.js";
import { changed, Model } from "./model.js";
import { objects, Steps } from "./steps.js";
import { followRun, Histogram, save, Scores, Sheet, Table } from "./tools.js";
import { paneKinds, Views } from "./views.js";

const LATE = 200; // milliseconds after which it is said that something is computed
const SLOW = 300; // milliseconds after which the picture follows at a coarser zoom
const main = document.getElementById("main");

const start = await get("start");
const model = new Model({
  steps: start.steps, other: null, view: null, fitted: true, at: start.shape.map((n) => Math.floor(n / 2)),
  cross: false, panes: ["contours"], until: null, place: start.steps.length - 1,
  object: null, fill: 0, brush: 3, tool: null,
});
model.spacing = start.spacing;

const message = h("p", { class: "message", role: "status" });
const say = (text, bad = false) => {
  message.classList.toggle("bad", bad);
  fill(message, text);
};
const fail = (error) => say(error.message, true);

// -------------------------------------------------------------------- pictures
const hovered = h("output", { class: "hovered" });
const readValue = settled(async (words, at) => {
  const found = await asked("voxel", { at }).catch(() => null);
  if (found && words === hovered.dataset.words) fill(hovered, words, ` value ${short(found.value)} `, hovered.dataset.object);
}, 60);
let slowest = 0; // what a picture at the full zoom took
const views = new Views(start, model, {
  told: (header, body) => {
    arrived();
    if (message.classList.contains("bad")) say("");
    steps.tell(header, body.steps);
    summary(header);
    if (!model.now.moving) later();
  },
  failed: (error) => {
    arrived();
    fail(error);
  },
  // By answers of a coarser level the next would be fine again, and slow; now and then one is.
  timed: (took, { whole, coarse }) => {
    if (!whole) slowest = coarse ? 0.9 * slowest : took;
  },
  chosen: () => table.show(),
  hovered: (words, object = "", at = null) => {
    hovered.dataset.words = words;
    hovered.dataset.object = object;
    fill(hovered, words, " ", object);
    if (at) readValue(words, at);
  },
  seeded: (stroke) => seed(stroke),
});

// The last picture stays until the next is there; after a while it is marked as old.
let late;
let lasted = 0;
function asking() {
  clearTimeout(late);
  late = setTimeout(() => {
    views.element.classList.add("old");
    fill(figures, `computing${lasted > 1 ? `, ${duration(lasted)} the last time` : ""}`);
  }, LATE);
}
function arrived() {
  clearTimeout(late);
  views.element.classList.remove("old");
}

/** Put a stroke into the step that is grown from seeds. */
function seed(stroke) {
  const place = model.now.steps.findIndex(({ run, on }) => on && ["watershed", "random_walker"].includes(run));
  if (place < 0) {
    say("Seeds are for watershed and random_walker: add one of them.", true);
    return;
  }
  const next = changed(model.now.steps, place, (step) => {
    const markers = step.with?.markers ?? {};
    return { ...step, with: { ...step.with, markers: { ...markers, strokes: [...(markers.strokes ?? []), stroke] } } };
  });
  model.set({ steps: next, place });
}

// ----------------------------------------------------------------------- steps
const steps = new Steps(start, model, { fail });
const table = new Table(model, { fail, chosen: (id, at) => {
  announce(`object ${id}`);
  views.reveal(at);
} });
const histogram = new Histogram(model, { fail });
const scores = new Scores({ fail });
const sheet = new Sheet(start, model, steps, { fail, view: () => views.boxOf(views.panes[0]) });
const figures = h("p", { class: "figures" });

function summary(header) {
  const last = header.steps.findLast((one) => one.objects !== undefined) ?? header.steps.findLast((one) => one.fraction !== undefined);
  const took = header.steps.reduce((sum, one) => sum + one.seconds, 0);
  if (took) lasted = took;
  const what = !last ? "" : last.objects !== undefined ? objects(last.objects) : `${short(100 * last.fraction)} % foreground`;
  fill(figures, h("b", {}, what), " ", took ? duration(took) : "", header.whole ? (start.large ? " in the whole image" : "") : header.level ? " approximate" : " in this view");
}

const body = () => ({ steps: model.now.steps, view: views.boxOf(views.panes[0]), until: model.now.until });
const later = settled(() => {
  if (!model.now.view) return;
  const { tool } = model.now;
  if (tool === "objects") table.ask(body());
  if (tool === "histogram") histogram.refresh(body());
  if (tool === "sheet") sheet.refresh();
  if (start.reference) scores.ask(body());
}, 120);

model.listen((names) => {
  if (names.includes("tool") || names.includes("place") || names.includes("view")) later();
});
// Settles at full resolution once a slider rests.
const settle = settled(() => {
  model.now.moving = false;
  views.ask();
}, 250);
const plainAsk = views.ask.bind(views);
views.ask = (given = {}) => {
  const follow = model.now.moving && slowest > SLOW ? Math.min(3, Math.ceil(Math.log2(slowest / SLOW))) : 0;
  asking();
  plainAsk({ coarse: follow, first: model.now.moving === true, ...given });
  if (model.now.moving) settle();
};

// ----------------------------------------------------------------------- tools
const panels = { objects: ["Table", table], histogram: ["Histogram", histogram], sheet: ["Contact sheet", sheet] };
if (start.reference) panels.scores = ["Scores", scores];
const tabs = Object.entries(panels).map(([name, [title]]) => h("button", {
  type: "button", "data-tool": name, "aria-expanded": "false", on: { click: () => tool(name) },
}, title));
const shelf = h("div", { class: "shelf", hidden: true }, Object.values(panels).map(([, panel]) => panel.element));
function tool(name) {
  model.set({ tool: model.now.tool === name ? null : name });
}
function showTool() {
  const { tool: name } = model.now;
  shelf.hidden = !panels[name];
  for (const [one, [, panel]] of Object.entries(panels)) panel.element.hidden = one !== name;
  tabs.forEach((tab) => tab.setAttribute("aria-expanded", String(tab.dataset.tool === name)));
}
model.listen((names) => names.includes("tool") && showTool());

const kinds = paneKinds.map(([kind, name]) => h("button", {
  type: "button", "data-pane": kind, "aria-pressed": "false",
  on: {
    click: () => {
      if (kind === "other" && !model.now.other) model.now.other = model.now.steps;
      const { panes } = model.now;
      const next = panes.includes(kind) ? panes.filter((one) => one !== kind) : [...panes, kind];
      const alone = next.every((one) => one === "other"); // B is looked at beside A
      model.set({ panes: alone ? [...next, "contours"] : next });
    },
  },
}, name));
const showPanes = () => kinds.forEach((one) => one.setAttribute("aria-pressed", String(model.now.panes.includes(one.dataset.pane))));
model.listen((names) => names.includes("panes") && showPanes());

const opacity = h("input", {
  type: "range", min: 0, max: 1, step: 0.05, value: model.now.fill, "aria-label": "Fill of objects",
  on: { input: () => model.set({ fill: Number(opacity.value) }) },
});
const seeds = h("select", {
  "aria-label": "Draw seeds", on: {
    change: () => {
      views.drawing = seeds.value === "" ? null : Number(seeds.value);
      views.element.classList.toggle("seeding", views.drawing !== null);
      brush.hidden = views.drawing === null;
    },
  },
}, h("option", { value: "" }, "no seeds"), [1, 2, 3, 4, 5].map((n) => h("option", { value: n }, `seed ${n}`)),
h("option", { value: 0 }, "wipe out"));

const brush = h("input", {
  type: "number", min: 0, max: 100, value: model.now.brush, hidden: true, class: "brush",
  "aria-label": "Radius of seeds", title: "Radius of seeds in voxels",
  on: { input: () => model.set({ brush: Number(brush.value) }) },
});

async function keep(path, then) {
  try {
    const found = await asked(path, { steps: model.now.steps });
    then(found);
  } catch (error) {
    fail(error);
  }
}
const saveAll = () => keep(start.run ? "save" : "toml", (found) => {
  if (start.run) say(`Saved ${found.pipeline}. Run it by: ${found.command}`);
  else save(new Blob([found.text], { type: "application/toml" }), "pipeline.toml");
});
const progress = h("p", { class: "progress", role: "status" });
const runAll = () => keep("run", (found) => {
  say(`Runs: ${found.command}`);
  followRun((at) => {
    const total = (at.done ?? 0) + (at.failed ?? 0) + (at.open ?? 0);
    const counts = total ? `${short(at.done)} of ${short(total)} tasks done${at.failed ? `, ${at.failed} failed` : ""}` : "starting";
    if (at.running) fill(progress, counts);
    else fill(progress, at.code ? h("span", { class: "bad" }, ["It failed: ", (at.said ?? []).join("\n")]) : (at.said?.length ? at.said : [counts]).join("\n"));
  });
});
const other = h("button", {
  type: "button", title: "Keep the steps as B, to compare others with them", on: {
    click: () => model.set({ other: model.now.steps, panes: [...new Set([...model.now.panes, "other"])] }),
  },
}, "Keep as B");

// ---------------------------------------------------------------------- layout
const size = [start.shape.join(" × "), start.unit === "pixel" ? null : `${start.spacing.map(short).join(" × ")} ${start.unit}`, start.note || null];
const planes = start.shape.length === 3 ? h("input", {
  type: "range", min: 0, max: start.shape[0] - 1, step: 1, value: model.now.at[0], "aria-label": "Plane",
  class: "plane", on: { input: (event) => model.set({ at: [Number(event.target.value), ...model.now.at.slice(1)] }) },
}) : null;
model.listen((names) => planes && names.includes("at") && (planes.value = model.now.at[0]));
const column = h("aside", { class: "column", "aria-label": "Pipeline" }, steps.element,
  h("div", { class: "foot" }, figures, h("p", {},
    h("button", { type: "button", class: "first", on: { click: saveAll } }, "Save"), " ",
    h("button", { type: "button", on: { click: () => keep("toml", ({ text }) => save(new Blob([text]), "pipeline.toml")) } }, "Download"), " ",
    start.run ? h("button", { type: "button", on: { click: runAll } }, "Run on all") : null, " ", other),
  message, progress));
const hiding = h("button", {
  type: "button", class: "plain", title: "Hide or show the steps, for a larger picture (\\)", "aria-pressed": "false",
  on: {
    click: () => {
      const wide = document.querySelector(".explorer").classList.toggle("wide");
      hiding.setAttribute("aria-pressed", String(wide));
    },
  },
}, "Hide steps");
fill(main, h("div", { class: "explorer" },
  h("div", { class: "stage" },
    h("header", {}, h("h1", {}, start.name), h("span", { class: "quiet" }, size.filter(Boolean).join(", ")),
      h("span", { class: "room" }), h("span", { class: "kinds", role: "group", "aria-label": "Pictures" }, kinds),
      keysButton(), themeButton()),
    planes, views.element,
    h("footer", {}, h("span", { class: "tabs", role: "group", "aria-label": "Tools" }, tabs),
      h("label", {}, "fill ", opacity), seeds, brush, hovered, hiding),
    shelf),
  column));
showPanes();
showTool();
await steps.build();

// ------------------------------------------------------------------------ keys
const unlessInput = (call) => (key, event) => (event.target.closest?.("input, select, .scroll") ? false : call(key));
keys([
  ["1 2 3 4 5 6 7 8 9", "choose a step", (key) => Number(key) <= model.now.steps.length && model.set({ place: Number(key) - 1 })],
  ["[ ]", "the parameter before, after", (key) => steps.parameter(key === "]" ? 1 : -1)],
  ["space", "with and without contours", unlessInput(() => {
    views.before = !views.before;
    views.paintAll();
  })],
  ["z", "undo", () => model.undo()],
  ["shift+z", "redo", () => model.redo()],
  ["a", "add a step", () => steps.adding.open()],
  ["x", "switch the chosen step on or off", () => steps.change(model.now.place, (one) => ({ ...one, on: !one.on }))],
  ["f", "fit the image", () => views.fit()],
  ["+ -", "zoom", (key) => views.zoomBy(key === "+" ? 1.25 : 0.8)],
  ["ArrowLeft ArrowRight ArrowUp ArrowDown", "move", unlessInput((key) => views.pan(
    { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0, { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0))],
  [", .", "the plane before, after", (key) => views.slice(key === "." ? 1 : -1)],
  ["o", "objects", () => tool("objects")],
  ["h", "histogram and thresholds", () => tool("histogram")],
  ["c", "contact sheet", () => tool("sheet")],
  ["b", "keep the steps as B", () => other.click()],
  ["p", "save the picture", async () => save(await views.download(), `${start.name}.png`)],
  ["s", "save the pipeline", saveAll],
  ["\\", "hide or show the steps", () => hiding.click()],
]);
window.explorer = { model, views };
