// The tasks: searched, filtered, sorted, as many as there are; one of them in full.

import { fill, get, go, h, paced, settled, state } from "../pages/dom.js";
import { counted, duration, fullMoment, moment } from "../pages/format.js";
import { keys } from "../pages/keys.js";
import { table } from "../pages/table.js";
import { STATES, shortName, stateText } from "./states.js";
import { task } from "./task.js";

const COLUMNS = [
  { name: "state", title: "state", sort: true, width: "96px", cell: (row) => stateText(row.state) },
  { name: "function", title: "function", sort: true, width: "minmax(90px, 1fr)", cell: (row) => h("span", { title: row.function }, shortName(row.function)) },
  { name: "arguments", title: "arguments", width: "minmax(150px, 3fr)", cell: (row) => h("span", { title: row.arguments }, row.arguments) },
  { name: "took", title: "time", number: true, sort: true, width: "92px", cell: (row) => (row.took === null ? "" : h("span", { title: `${row.took} s` }, duration(row.took))) },
  { name: "ended", title: "ended", number: true, sort: true, width: "156px", cell: (row) => (row.ended === null ? "" : h("span", { title: fullMoment(row.ended) }, moment(row.ended))) },
];

/** Make the view. */
export function tasks(first) {
  const asked = state();
  const text = h("input", { type: "search", value: asked.text ?? "", placeholder: "key or part of an argument", on: { input: settled(() => go({ text: text.value, task: null }, { replace: true }), 200) } });
  const functions = h("select", { on: { change: () => go({ function: functions.value, task: null }, { replace: true }) } });
  const states = h("select", { on: { change: () => go({ state: states.value, task: null }, { replace: true }) } },
    h("option", { value: "" }, "all"), STATES.map((name) => h("option", { value: name }, name)));
  const told = h("span", { class: "quiet", role: "status" });
  let acts = first.acts;
  let known = "";
  let signature = "";
  let detail = null;
  let shownTask = null;
  const list = table({
    label: "Tasks",
    columns: COLUMNS,
    order: { by: asked.sort ?? "", down: asked.down === "1" },
    sorted: (order) => go({ sort: order.by, down: order.down ? "1" : null }, { replace: true }),
    open: (row) => go({ task: row.key }),
    load,
  });
  const room = h("section", { class: "task" });
  const element = h("div", { class: "view two" },
    h("section", {},
      h("div", { class: "filters" }, h("label", {}, "Search", text), h("label", {}, "Function", functions), h("label", {}, "State", states), told),
      list.element),
    room);

  async function load(start, many, order, signal) {
    const { text: wanted, function: name, state: of } = state();
    const query = { text: wanted, function: name, state: of, sort: order.by, down: order.down ? 1 : null, start, count: many };
    let found;
    do {
      found = await get("tasks", query, { signal });
      const some = found.looked_at < 1 ? `, ${Math.floor(100 * found.looked_at)} % searched` : "";
      fill(told, `${counted(found.total, "task")}${some}`);
    } while (found.looked_at < 1 && found.rows.length < many && !signal.aborted);
    return found;
  }

  function choices(plain) {
    const names = plain.functions.map((one) => one.name);
    if (names.join("\n") === known) return;
    known = names.join("\n");
    fill(functions, h("option", { value: "" }, "all"), names.map((name) => h("option", { value: name, title: name }, shortName(name))));
    functions.value = state().function ?? "";
  }

  function moved() {
    const wanted = state();
    if (document.activeElement !== text) text.value = wanted.text ?? "";
    functions.value = wanted.function ?? "";
    states.value = wanted.state ?? "";
    const sign = JSON.stringify([wanted.text, wanted.function, wanted.state]);
    if (sign !== signature) {
      signature = sign;
      list.reload();
    }
    if ((wanted.task ?? "") !== shownTask) {
      shownTask = wanted.task ?? "";
      detail?.close();
      detail = shownTask ? task(shownTask, { acts }) : null;
      fill(room, detail ? detail.element : h("p", { class: "quiet" }, "Choose a task to see all that is known of it."));
      if (detail && matchMedia("(max-width: 900px)").matches) room.scrollIntoView();
    }
  }

  const renew = paced(() => Promise.all([list.reload({ keep: true }), detail?.refresh()]));
  let was = JSON.stringify(first.functions) + first.forgot;
  function take(plain) {
    acts = plain.acts;
    choices(plain);
    const is = JSON.stringify(plain.functions) + plain.forgot;
    if (is !== was) {
      was = is;
      renew();
    }
  }

  choices(first);
  moved();
  const forget = keys([["x", "close the task", () => (state().task ? go({ task: null }) : false)]]);
  return { element, take, moved, close: () => { detail?.close(); forget(); } };
}

