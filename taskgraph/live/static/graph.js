// The graph by function: what needs what, how far each is; unknown behind a barrier.

import { fill, get, h, s } from "../pages/dom.js";
import { count } from "../pages/format.js";
import { BARS, shortName } from "./states.js";

const [BOX, TALL] = [190, 58];

/** Make the view. */
export function graph(first) {
  const room = h("div", { class: "graph scroll", tabindex: "0", role: "region", "aria-label": "Graph by function" });
  const told = h("p", { class: "quiet" });
  const element = h("div", { class: "view" }, h("section", {}, h("h2", {}, "What needs what, by function"), room, told));
  let shape = null;
  let known = "";
  let now = first;

  async function refresh() {
    try {
      shape = await get("graph");
    } catch (error) {
      fill(room, h("p", { class: "bad", role: "alert" }, error.message));
      return;
    }
    draw();
  }

  function draw() {
    const [width, height] = shape.size;
    const counts = new Map(now.functions.map((one) => [one.name, one]));
    const lines = shape.lines.map((line) => s("path", {
      class: line.unknown ? "line unknown" : "line", d: path(line.points), "marker-end": "url(#arrow)",
    }, s("title", {}, line.title)));
    const boxes = shape.boxes.map((box) => (box.name === null ? unknown(box) : known_(box, counts.get(box.name))));
    fill(room, s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Graph by function" },
      s("defs", {}, s("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, s("path", { d: "M0,0 8,4 0,8Z" }))),
      lines, boxes));
    fill(told, shape.complete ? null : "The dashed box stands for tasks behind a barrier: which they are is known when those before it are done.");
  }

  function take(plain) {
    now = plain;
    const is = plain.functions.map((one) => one.name).join() + plain.complete;
    if (is !== known) {
      known = is;
      refresh();
    } else if (shape) {
      draw();
    }
  }

  take(first);
  return { element, take };
}

function known_(box, counts) {
  const all = counts ? BARS.reduce((sum, name) => sum + counts[name], 0) : 0;
  const words = counts ? BARS.filter((name) => counts[name]).map((name) => `${count(counts[name])} ${name}`).join(", ") : "";
  let at = box.x + 10;
  const room = BOX - 20;
  const bars = !counts ? [] : BARS.filter((name) => counts[name]).map((name) => {
    const wide = (room * counts[name]) / all;
    const bar = s("rect", { x: at, y: box.y + TALL - 14, width: Math.max(1, wide), height: 6, style: { fill: `var(--${name})` } });
    at += wide;
    return bar;
  });
  const name = shortName(box.name);
  const inside = [s("title", {}, `${box.name}: ${words}`),
    s("rect", { class: "box", x: box.x, y: box.y, width: BOX, height: TALL, rx: 4 }),
    s("text", { x: box.x + 10, y: box.y + 19 }, name.length > 24 ? `${name.slice(0, 23)}…` : name),
    s("text", { class: "quiet", x: box.x + 10, y: box.y + 36 }, summary(counts, all)), bars];
  return s("a", { href: `#${new URLSearchParams({ view: "tasks", function: box.name })}`, title: words }, inside);
}

function summary(counts, all) {
  if (!counts) return "";
  const more = ["failed", "blocked", "running"].filter((name) => counts[name]).map((name) => `${count(counts[name])} ${name}`);
  return [`${count(counts.done)} of ${count(all)}`, ...more].join(", ").slice(0, 30);
}

function unknown(box) {
  return s("g", {},
    s("rect", { class: "box unknown", x: box.x, y: box.y, width: BOX, height: TALL, rx: 4 }),
    s("text", { x: box.x + 10, y: box.y + 24 }, "unknown"),
    s("text", { class: "quiet", x: box.x + 10, y: box.y + 42 }, "behind a barrier"));
}

function path(points) {
  return points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
}
