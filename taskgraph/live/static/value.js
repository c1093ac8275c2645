// A value as what it is: pictures, volumes, tables, curves, text, HTML of its own.

import { Refused, act, address, fill, get, h } from "../pages/dom.js";
import { count, size } from "../pages/format.js";
import { keys } from "../pages/keys.js";
import { table } from "../pages/table.js";

const PICKLE = "It is stored as a pickle. To load a pickle runs what is in it, which is what "
  + "the task returned, or whatever somebody put there who may write to the store. ";

/** Make what shows the value of a task; it is loaded at once if that runs nothing. */
export function value(key) {
  const element = h("div", { class: "value" });
  const ends = [];

  async function open(unpickle) {
    const late = setTimeout(() => fill(element, h("p", { class: "quiet" }, "The value is being loaded.")), 200);
    try {
      const about = await act("value/open", { key, unpickle });
      clearTimeout(late);
      if (about.kind === "pickle") fill(element, ask(about));
      else fill(element, shown(key, "", about, ends));
    } catch (error) {
      clearTimeout(late);
      if (!(error instanceof Refused)) throw error;
      fill(element, h("p", { class: "bad", role: "alert" }, error.message));
    }
  }

  function ask(about) {
    return [h("p", {}, PICKLE, `It takes ${size(about.size)}.`),
      h("p", {}, h("button", { type: "button", on: { click: () => open(true) } }, "Load it"))];
  }

  open(false);
  return { element, close: () => ends.splice(0).forEach((end) => end()) };
}

/** Return what shows a part of a value that is loaded. */
function shown(key, part, about, ends) {
  const summary = h("p", { class: "quiet" }, about.summary);
  const where = { key, part };
  switch (about.kind) {
    case "picture":
    case "volume":
      return [picture(where, about, ends), summary];
    case "table":
      return [rows(where, about), h("p", { class: "quiet" }, about.summary, ". ", csv(where))];
    case "curve":
      return [curve(where, about), h("p", { class: "quiet" }, about.summary, ". ", csv(where))];
    case "html":
      return [h("iframe", { src: address("value/page", where), sandbox: true, title: about.summary }), summary];
    case "parts":
      return [summary, about.parts.map(([name, inner], place) => h("div", { class: "part" },
        h("h3", {}, name), shown(key, part ? `${part}.${place}` : String(place), inner, ends)))];
    default:
      return h("pre", { class: "print", tabindex: "0", role: "region", "aria-label": "Value" }, about.text ?? about.summary);
  }
}

function csv(where) {
  return h("a", { href: address("value/csv", where), download: true }, "CSV");
}

function picture(where, about, ends) {
  const image = h("img", { alt: about.summary });
  const save = h("a", { download: `${where.key.slice(0, 12)}.png` }, "PNG");
  let wanted = null;

  function show(plane) {
    const from = address("value/picture", { ...where, plane });
    save.href = from;
    wanted = from;
    const next = new Image();
    const late = setTimeout(() => image.classList.add("old"), 200);
    next.addEventListener("load", () => {
      clearTimeout(late);
      if (wanted !== from) return;
      image.classList.remove("old");
      image.src = from;
    });
    next.addEventListener("error", () => {
      clearTimeout(late);
      if (wanted === from) image.alt = "this picture cannot be drawn now";
    });
    next.src = from;
  }

  const middle = Math.floor(about.planes / 2);
  show(middle);
  return h("div", { class: "image" }, image, about.planes > 1 ? slider(about.planes, middle, show, ends) : null, h("p", {}, save));
}

/** Return a slider with a field for its number; `,` and `.` go a step, too. */
function slider(planes, first, show, ends) {
  const given = { min: 0, max: planes - 1, step: 1 };
  const range = h("input", { type: "range", ...given, value: first, "aria-label": "slice" });
  const field = h("input", { type: "number", ...given, value: first, "aria-label": "slice, as a number" });
  let at = first;
  const to = (place) => {
    const next = Math.max(0, Math.min(planes - 1, Math.round(Number(place)) || 0));
    if (next === at) return;
    at = next;
    range.value = String(next);
    if (document.activeElement !== field) field.value = String(next);
    show(next);
  };
  range.addEventListener("input", () => to(range.value));
  range.addEventListener("dblclick", () => to(first));
  field.addEventListener("input", () => to(field.value));
  field.addEventListener("change", () => { field.value = String(at); });
  range.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -10, ArrowRight: 10 }[event.key];
    if (event.shiftKey && step) {
      event.preventDefault();
      to(at + step);
    }
  });
  ends.push(keys([[",", "slice before", () => to(at - 1)], [".", "next slice", () => to(at + 1)]]));
  return h("div", { class: "slider" }, h("span", {}, "slice"), range, field, h("span", {}, `of 0 to ${count(planes - 1)}`));
}

function rows(where, about) {
  const columns = about.columns.map(([name, number], place) => ({
    name, title: name, number, sort: true, width: number ? "minmax(80px, 1fr)" : "minmax(110px, 2fr)",
    cell: (row) => h("span", { title: row[place][1] }, row[place][0]),
  }));
  const made = table({
    label: "Rows",
    columns,
    rows: 14,
    load: async (start, many, order, signal) => ({
      total: about.rows,
      rows: await get("value/rows", { ...where, start, count: many, by: order.by, down: order.down ? 1 : null }, { signal }),
    }),
  });
  made.reload();
  return made.element;
}

function curve(where, about) {
  const room = h("div", { class: "curve" });
  fetch(address("value/drawing", where)).then((answer) => answer.text()).then((text) => {
    const drawn = new DOMParser().parseFromString(text, "text/html").querySelector("svg");
    if (drawn) room.append(document.importNode(drawn, true));
    else fill(room, h("p", { class: "bad" }, "this curve cannot be drawn now"));
  });
  return room;
}
