// How many tasks of which function ended when, as areas one upon the other.

import { fill, get, h, paced, s } from "../pages/dom.js";
import { count, duration, fullMoment, moment, short } from "../pages/format.js";
import { shortName } from "./states.js";

// Okabe and Ito's, for those who confuse colours; what comes after is one grey.
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
const REST = "#8a9099";
const [HEIGHT, LEFT, BOTTOM] = [170, 44, 18];
const EVERY = 2000; // milliseconds

/** Make the picture; `take` lets it follow. */
export function history() {
  const svg = s("svg", { role: "img" });
  const read = h("p", { class: "quiet read" });
  const legend = h("ul", { class: "legend" });
  const element = h("section", {}, h("h2", {}, "Throughput"), h("div", { class: "chart" }, svg), read, legend);
  let plain = null;
  let signed = "";
  let closed = false;

  function pointed(event) {
    const spans = plain === null ? 0 : Object.values(plain.counts)[0]?.length ?? 0;
    const box = svg.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left - LEFT) / (box.width - LEFT)) * spans);
    if (place < 0 || place >= spans) return;
    const rows = Object.entries(plain.counts).filter(([, row]) => row[place]).map(([name, row]) => `${shortName(name)} ${count(row[place])}`);
    const at = plain.start + place * plain.span;
    read.title = fullMoment(at);
    fill(read, `${moment(at)}: ${rows.join(", ") || "none"}${plain.span > 1 ? ` in ${duration(plain.span)}` : ""}`);
  }
  svg.addEventListener("pointermove", pointed);

  async function asked() {
    try {
      plain = await get("history");
    } catch {
      return; // the page tells that the server is gone
    }
    if (!closed) draw();
  }

  function draw() {
    const sums = Object.entries(plain.counts).map(([name, row]) => [name, row, row.reduce((a, b) => a + b, 0)]);
    sums.sort((a, b) => b[2] - a[2]);
    const spans = sums[0]?.[1].length ?? 0;
    if (!spans) {
      fill(svg, s("title", {}, "Nothing has ended yet"));
      fill(read, "Nothing has ended yet.");
      return;
    }
    const own = sums.slice(0, COLOURS.length);
    const rest = sums.slice(COLOURS.length);
    const layers = own.map(([name, row], place) => [shortName(name), row, COLOURS[place]]);
    if (rest.length) layers.push([`${rest.length} more`, add(rest.map(([, row]) => row), spans), REST]);
    const total = add(layers.map(([, row]) => row), spans);
    const top = Math.max(...total) / plain.span;
    const width = Math.max(200, svg.clientWidth);
    const x = (place) => LEFT + (place / spans) * (width - LEFT);
    const y = (value) => (HEIGHT - BOTTOM) - (value / plain.span / top) * (HEIGHT - BOTTOM - 8);
    const below = new Array(spans).fill(0);
    const areas = layers.map(([name, row, colour]) => {
      const upper = row.map((value, place) => below[place] + value);
      const path = area(upper, below, x, y);
      upper.forEach((value, place) => { below[place] = value; });
      return s("path", { d: path, fill: colour }, s("title", {}, name));
    });
    const end = plain.start + spans * plain.span;
    const words = `Tasks that ended, at most ${short(top)} a second, from ${moment(plain.start)} to ${moment(end)}`;
    svg.setAttribute("aria-label", words);
    fill(svg,
      s("line", { class: "axis", x1: LEFT, x2: width, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }), areas,
      label(LEFT - 4, 14, "end", `${short(top)}/s`), label(LEFT - 4, HEIGHT - BOTTOM, "end", "0"),
      label(LEFT, HEIGHT - 4, "start", moment(plain.start)), label(width, HEIGHT - 4, "end", moment(end)));
    const key = layers.map(([name]) => name).join();
    if (key !== signed) {
      signed = key;
      fill(legend, layers.map(([name, , colour]) => h("li", {}, h("span", { class: "swatch", style: { background: colour } }), name)));
    }
    if (!read.textContent || read.textContent.startsWith("Nothing")) fill(read, "Point at it to read numbers.");
  }

  const refresh = paced(asked, EVERY);
  const resized = new ResizeObserver(() => plain && draw());
  resized.observe(svg);
  refresh();
  return { element, take: refresh, close: () => { closed = true; resized.disconnect(); } };
}

function add(rows, spans) {
  const sum = new Array(spans).fill(0);
  for (const row of rows) row.forEach((value, place) => { sum[place] += value; });
  return sum;
}

/** An area with a step for each span of time. */
function area(upper, lower, x, y) {
  const forth = upper.map((value, place) => `L${x(place).toFixed(1)},${y(value).toFixed(1)}H${x(place + 1).toFixed(1)}`);
  const back = lower.map((value, place) => `L${x(place + 1).toFixed(1)},${y(value).toFixed(1)}H${x(place).toFixed(1)}`).reverse();
  return `M${forth[0].slice(1)}${forth.slice(1).join("")}${back.join("")}Z`;
}

function label(x, y, anchor, text) {
  return s("text", { x, y, "text-anchor": anchor }, text);
}
