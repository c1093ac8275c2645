// Functions with their states, what ended when, who is at work.

import { fill, h } from "../pages/dom.js";
import { count, duration, fullMoment, moment } from "../pages/format.js";
import { history } from "./history.js";
import { BARS, STATES, shortName } from "./states.js";

const SHOWN = 300;

/** Make the view. */
export function overview(first) {
  const rows = new Map();
  const body = h("tbody");
  const more = h("p", { class: "quiet" });
  const functions = h("section", {}, h("h2", {}, "Functions"),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Functions" },
      h("table", { class: "functions" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "function"), h("th", { scope: "col" }, "share"),
          [...STATES].reverse().map((name) => h("th", { scope: "col", class: "number" }, name)))),
        body)), more);
  const chart = history();
  const workers = h("section");
  const element = h("div", { class: "view two" }, functions, h("div", {}, chart.element, workers));

  function row(plain) {
    const share = h("div", { class: "share", "aria-hidden": "true" });
    const cells = Object.fromEntries(STATES.map((name) => [name, h("td", { class: "number" })]));
    const line = h("tr", {},
      h("td", { class: "name", title: plain.name }, h("a", { href: `#${new URLSearchParams({ view: "tasks", function: plain.name })}` }, shortName(plain.name))),
      h("td", { class: "wide" }, share), [...STATES].reverse().map((name) => cells[name]));
    return { line, share, cells, was: "" };
  }

  function update(one, plain) {
    const is = STATES.map((name) => plain[name]).join();
    if (is === one.was) return;
    one.was = is;
    for (const name of STATES) {
      const number = plain[name];
      one.cells[name].className = number ? `number ${name === "failed" ? "bad" : ""}` : "number zero";
      fill(one.cells[name], number
        ? h("a", { href: `#${new URLSearchParams({ view: "tasks", function: plain.name, state: name })}`, "aria-label": `${count(number)} ${name} of ${shortName(plain.name)}` }, count(number))
        : "0");
    }
    fill(one.share, BARS.filter((name) => plain[name]).map((name) =>
      h("span", { class: `fill-${name}`, title: `${count(plain[name])} ${name}`, style: { flex: `${plain[name]} 0 0` } })));
  }

  function take(plain) {
    const listed = plain.functions.slice(0, SHOWN);
    for (const one of listed) {
      if (!rows.has(one.name)) {
        const made = row(one);
        rows.set(one.name, made);
        body.append(made.line);
      }
      update(rows.get(one.name), one);
    }
    const names = new Set(listed.map((one) => one.name));
    for (const [name, one] of rows) {
      if (!names.has(name)) {
        one.line.remove();
        rows.delete(name);
      }
    }
    const left = plain.functions.length - listed.length;
    fill(more, left > 0 ? `and ${count(left)} more functions, among Tasks` : null);
    drawWorkers(workers, plain);
    chart.take(plain);
  }

  take(first);
  return { element, take, close: chart.close };
}

function drawWorkers(room, plain) {
  if (!plain.workers.length) {
    fill(room, h("h2", {}, "Workers"), h("p", { class: "quiet" }, "Nobody is at work."));
    return;
  }
  fill(room, h("h2", {}, "Workers"),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Workers" },
      h("table", {},
        h("thead", {}, h("tr", {}, ["worker", "host", "tasks", "since", "heartbeat"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, plain.workers.map(workerRow)))));
}

function workerRow(one) {
  const more = one.tasks - 1;
  return h("tr", {},
    h("td", { title: one.worker }, one.pid ? String(one.pid) : one.worker.slice(0, 8), one.alive ? null : h("span", { class: "bad" }, " seems dead")),
    h("td", {}, one.host),
    h("td", {}, one.key === null ? null : h("a", { href: `#${new URLSearchParams({ view: "tasks", task: one.key })}` }, one.call),
      more > 0 ? h("div", { class: "quiet" }, `and ${count(more)} more, in its turn`) : null),
    h("td", { class: "number", title: one.since ? fullMoment(one.since) : null }, one.since ? moment(one.since) : ""),
    h("td", { class: "number" }, one.age === null ? "none" : `${duration(Math.max(1, one.age))} ago`));
}

