// The live page: one stream of state for all that is shown; the address says what is.

import { announce, fill, follow, go, h, state, themeButton } from "../pages/dom.js";
import { count, counted, duration, short } from "../pages/format.js";
import { keys, keysButton } from "../pages/keys.js";
import { actions } from "./actions.js";
import { failures } from "./failures.js";
import { graph } from "./graph.js";
import { overview } from "./overview.js";
import { results } from "./results.js";
import { BARS, STATES } from "./states.js";
import { tasks } from "./tasks.js";

const VIEWS = {
  overview: ["Overview", overview],
  tasks: ["Tasks", tasks],
  failures: ["Failures", failures],
  results: ["Results", results],
  graph: ["Graph", graph],
  changes: ["Changes", actions],
};

const main = document.getElementById("main");
const title = h("h1");
const facts = h("span", { class: "facts" });
const progress = h("div", { class: "progress", "aria-hidden": "true" });
const tabs = h("nav", { class: "tabs", "aria-label": "Views" });
const notice = h("div", { class: "notice", role: "status" });
const notes = h("div", { role: "status" });
const room = h("div");

let now = null;
let view = null;
let shown = "";

fill(main,
  h("header", { class: "bar" }, title, facts, h("span", {}, themeButton(), keysButton())),
  progress, notice, notes, tabs, room);

/** Return how many tasks there are in all, and in each state. */
export function totals(plain) {
  const sums = Object.fromEntries(STATES.map((name) => [name, 0]));
  for (const row of plain.functions ?? []) for (const name of STATES) sums[name] += row[name];
  const all = STATES.reduce((sum, name) => sum + sums[name], 0);
  return { ...sums, all };
}

function fact(number, words, about) {
  return h("span", { class: "fact", title: about }, h("b", {}, number), words ? ` ${words}` : null);
}

/** Say how long it takes: ETA 3 min (2 min to 5 min). */
function timeLeft(left) {
  if (left.unknown) {
    return fact(`more than ${duration(left.expected)}`, "left",
      `Of ${count(left.unknown)} of ${counted(left.tasks, "task")} no time is known yet`);
  }
  const range = [duration(left.low), duration(left.high)];
  const between = range[0] === range[1] ? "" : ` (${range.join(" to ")})`;
  return fact(`${duration(left.expected)}${between}`, "left",
    "As long as earlier tasks of these functions took, shared among the workers of now; "
    + "within the interval with 95 % probability");
}

function head(plain) {
  title.textContent = plain.jugfile;
  if (!plain.functions) {
    fill(facts);
    document.title = plain.jugfile;
    return;
  }
  const sums = totals(plain);
  const share = sums.all ? Math.floor((100 * sums.done) / sums.all) : 0;
  document.title = `${share} % ${plain.jugfile}`;
  fill(facts,
    fact(`${share} %`, `of ${count(sums.all)}${plain.complete ? "" : " so far"}`, `${count(sums.done)} tasks are done`),
    plain.rate && plain.at_work ? fact(`${short(plain.rate)}/s`, "", "Tasks that ended in the last half minute, or five") : null,
    plain.left ? timeLeft(plain.left) : null,
    fact(count(plain.at_work), plain.at_work === 1 ? "worker" : "workers", "At work now, as far as can be seen"),
    sums.failed ? h("a", { class: "fact bad", href: "#view=failures" }, h("b", {}, count(sums.failed)), " failed") : null);
  if (plain.finished) facts.append(fact("all done", ""));
  fill(progress, BARS.filter((name) => sums[name]).map((name) =>
    h("span", { class: `fill-${name}`, style: { flex: `${sums[name]} 0 0` } })));
}

function chosen() {
  const name = state().view;
  return name in VIEWS ? name : "overview";
}

function show() {
  const name = chosen();
  for (const tab of tabs.children) {
    if (tab.dataset.view === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (name !== shown) {
    view?.close?.();
    shown = name;
    view = now?.functions ? VIEWS[name][1](now) : null;
    fill(room, view ? view.element : nothing());
  } else {
    view?.moved?.();
  }
}

/** What is shown while there are no tasks: what to type. */
function nothing() {
  if (now === null) return null;
  return h("div", { class: "view" }, h("div", { class: "empty" },
    h("h2", {}, "There are no tasks to show"), h("p", {}, now.trouble || "The store is being read."),
    h("p", { class: "quiet" }, "This page shows them as soon as there are some.")));
}

function take(plain) {
  const first = now === null || !now.functions !== !plain.functions;
  const failed = now?.functions && plain.functions ? totals(plain).failed - totals(now).failed : 0;
  now = plain;
  head(plain);
  fill(notice, plain.functions && plain.trouble ? `${plain.trouble} What is shown is as it was.` : null);
  const told = (plain.notes ?? []).map((text) => h("li", {}, text));
  if (notes.textContent !== told.map((one) => one.textContent).join("")) {
    fill(notes, told.length ? h("ul", { class: "notes" }, told) : null);
  }
  if (first) {
    fill(tabs, Object.entries(VIEWS).filter(([name]) => name !== "changes" || plain.acts).map(([name, [words]]) =>
      h("a", { href: `#view=${name}`, "data-view": name }, words)));
    shown = "";
    show();
  } else {
    view?.take?.(plain);
  }
  if (failed > 0) announce(`${failed} more failed`);
}

addEventListener("hashchange", show);
follow("events", take, (there) => {
  if (there) fill(notice);
  else if (now) fill(notice, "The server of this page does not answer; is `tg web` still running? What is shown is as it was.");
});
keys([
  ...Object.entries(VIEWS).slice(0, 5).map(([name, [words]], place) => [
    String(place + 1), words.toLowerCase(), () => go({ view: name }, { from: {} })]),
  ["/", "search tasks", () => {
    go({ view: "tasks" }, { from: {} });
    setTimeout(() => document.querySelector("input[type=search]")?.focus(), 0);
  }],
]);
