// A table of any number of rows: what is in view is asked for and made, nothing else.

import { fill, h } from "./dom.js";

const ROW = 28;
const TALLEST = 8_000_000; // pixels that browsers can scroll over
let numbered = 0;

/**
 * Make a table.
 * @param {object} options
 * @param {string} options.label What it is a table of.
 * @param {Array<{name, title, number, sort, width, cell}>} options.columns `cell(row)` gives
 *   the content of a cell, `sort` says that the column can be sorted by, `width` is one of a
 *   grid of CSS.
 * @param {function(number, number, AbortSignal)} options.load Promises {total, rows} from a
 *   row on.
 * @param {function(object)} [options.open] Called with a row that is chosen.
 * @param {{by: string, down: boolean}} [options.order] How it is sorted at first.
 * @param {function({by, down})} [options.sorted] Called when that changes.
 * @returns {{element, reload, order}} `reload({keep})` asks for the rows anew.
 */
export function table({ label, columns, load, open, order = { by: "", down: false }, sorted, rows: most = 18 }) {
  const id = `table-${(numbered += 1)}`;
  const widths = columns.map((column) => column.width ?? "minmax(90px, 1fr)").join(" ");
  const head = h("div", { role: "row", class: "head", style: { "grid-template-columns": widths } });
  const body = h("div", { role: "rowgroup", class: "rows" });
  const room = h("div", { class: "room" });
  const element = h("div", {
    class: "table scroll", role: "grid", tabindex: "0", "aria-label": label, on: { keydown, scroll: moved },
  }, h("div", { class: "inside", style: { "min-width": `${100 * columns.length}px` } }, h("div", { role: "rowgroup", class: "top" }, head), room, body));
  let total = 0;
  let first = 0;
  let active = 0;
  let chosen = null;
  let shown = [];
  let shownFirst = 0;
  let asking = null;

  const visible = () => Math.max(1, Math.min(most, total || 1));

  function heads() {
    fill(head, columns.map((column) => {
      const by = order.by === column.name && column.sort;
      const sign = by ? (order.down ? " ↓" : " ↑") : "";
      const sort = by ? (order.down ? "descending" : "ascending") : column.sort ? "none" : null;
      const inner = column.sort
        ? h("button", { type: "button", tabindex: "-1", title: `Sort by ${column.title}`, on: { click: () => sortBy(column.name) } }, column.title, sign)
        : column.title;
      return h("div", { role: "columnheader", class: column.number ? "number" : null, "aria-sort": sort, title: column.title }, inner);
    }));
  }

  function sortBy(name) {
    order = { by: name, down: order.by === name ? !order.down : false };
    heads();
    sorted?.(order);
    reload();
  }

  function size() {
    const tall = Math.min(total * ROW, TALLEST);
    element.style.setProperty("--rows", String(visible()));
    room.style.setProperty("height", `${Math.max(0, tall - visible() * ROW)}px`);
    element.setAttribute("aria-rowcount", String(total + 1));
  }

  function moved() {
    const far = element.scrollHeight - element.clientHeight;
    const share = far > 0 ? element.scrollTop / far : 0;
    const to = Math.round(share * Math.max(0, total - visible()));
    if (to !== first) {
      first = to;
      draw();
    }
  }

  function draw() {
    const inside = first >= shownFirst && first + visible() <= shownFirst + shown.length;
    if (!inside && total) ask();
    const made = [];
    for (let place = first; place < Math.min(total, first + visible()); place += 1) {
      made.push(line(place, shown[place - shownFirst]));
    }
    fill(body, made);
    if (total) element.setAttribute("aria-activedescendant", `${id}-${active}`);
    else element.removeAttribute("aria-activedescendant");
  }

  function line(place, row) {
    return h("div", {
      role: "row", id: `${id}-${place}`, "aria-rowindex": place + 2,
      class: [place === active ? "active" : "", place === chosen ? "chosen" : ""].join(" "),
      "aria-selected": place === chosen ? "true" : "false",
      style: { "grid-template-columns": widths }, on: { click: () => choose(place) },
    }, columns.map((column) => h("div", { role: "gridcell", class: column.number ? "number" : null },
      row === undefined ? "…" : column.cell(row))));
  }

  function choose(place) {
    active = chosen = place;
    const row = shown[place - shownFirst];
    draw();
    if (row !== undefined) open?.(row);
  }

  function keydown(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: visible(), PageUp: -visible() };
    if (event.target !== element) return;
    if (event.key === "Enter") {
      choose(active);
    } else if (event.key in steps || event.key === "Home" || event.key === "End") {
      const to = event.key === "Home" ? 0 : event.key === "End" ? total - 1 : active + steps[event.key];
      active = Math.max(0, Math.min(total - 1, to));
      const before = first;
      if (active < first) first = active;
      if (active >= first + visible()) first = active - visible() + 1;
      if (before !== first) {
        const far = element.scrollHeight - element.clientHeight;
        element.scrollTop = (far * first) / Math.max(1, total - visible());
      }
      draw();
    } else {
      return;
    }
    event.preventDefault();
  }

  async function ask() {
    asking?.abort();
    const mine = (asking = new AbortController());
    const start = Math.max(0, first - visible());
    try {
      const found = await load(start, visible() * 3, order, mine.signal);
      if (mine !== asking) return;
      asking = null;
      [total, shown, shownFirst] = [found.total, found.rows, start];
      first = Math.max(0, Math.min(first, total - visible()));
      active = Math.max(0, Math.min(active, total - 1));
      size();
      draw();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  function reload({ keep = false } = {}) {
    if (!keep) {
      first = active = 0;
      chosen = null;
      element.scrollTop = 0;
    }
    return ask();
  }

  heads();
  size();
  return { element, reload, get order() { return order; } };
}
