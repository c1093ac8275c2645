// What may be changed, if the page was started so: forgetting, retrying, undoing.

import { Refused, act, announce, fill, get, h } from "../pages/dom.js";
import { count, counted, duration, fullMoment, moment } from "../pages/format.js";

/** Return a button that forgets results, after it has shown which. */
export function forgetting(what, words) {
  return h("button", { type: "button", on: { click: () => preview(what, words) } }, words);
}

/** Return a button that lets failed tasks run again, of a function or all. */
export function retrying(name, words) {
  return h("button", { type: "button", on: { click: (event) => done(event.target, { do: "retry", function: name }) } }, words);
}

async function done(button, asked) {
  button.disabled = true;
  try {
    const { told } = await act("act", asked);
    announce(told);
    tell(told);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  } finally {
    button.disabled = false;
  }
}

function dialogOf(...children) {
  const dialog = h("dialog", { "aria-label": "Changes", on: { close: () => dialog.remove() } }, children);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function tell(text) {
  if (!text) return;
  const dialog = dialogOf(text.split("\n").map((line) => h("p", {}, line.replace(/^tg: /, ""))),
    h("button", { type: "button", on: { click: () => dialog.close() } }, "Close"));
}

async function preview(what, words) {
  const room = h("div", {}, h("p", { class: "quiet" }, "What it takes along is being looked up."));
  const yes = h("button", { type: "button", class: "first", disabled: true, on: { click: agreed } }, words);
  const dialog = dialogOf(h("h2", {}, words), room,
    h("div", { class: "actions" }, yes, h("button", { type: "button", on: { click: () => dialog.close() } }, "Leave it")));

  async function agreed() {
    yes.disabled = true;
    try {
      const { told } = await act("act", { do: "invalidate", ...what });
      dialog.close();
      tell(told);
    } catch (error) {
      fill(room, h("p", { class: "bad" }, error.message));
    }
  }

  try {
    const { said, told } = await act("act", { do: "invalidate", preview: true, ...what });
    const rows = said?.functions ?? [];
    fill(room, rows.length ? lost(rows, said.running) : h("p", {}, told || "nothing to forget: these tasks have no results"));
    yes.disabled = rows.length === 0;
  } catch (error) {
    fill(room, h("p", { class: "bad" }, error.message));
  }
}

function lost(rows, running) {
  return [h("p", {}, "These go, as they were made of it; it can be undone."),
    h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "task"), ["results", "failures", "CPU time"].map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("td", {}, row.name),
        [count(row.results), count(row.failures), duration(row.cpu)].map((text) => h("td", { class: "number" }, text)))))),
    running ? h("p", {}, `${counted(running, "task")} running now will have to run again`) : null];
}

/** Make the view of what was changed and can be undone. */
export function actions(first) {
  const room = h("section");
  let was = null;

  async function refresh() {
    const rows = await get("undoable").catch((error) => error);
    if (rows instanceof Refused) {
      fill(room, h("p", { class: "bad", role: "alert" }, rows.message));
      return;
    }
    fill(room, h("h2", {}, "What can be undone"),
      rows.length ? h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "what"), h("th", { scope: "col" }, "when"), h("th", { scope: "col", class: "number" }, "results"), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "undo")))),
        h("tbody", {}, rows.map((row) => h("tr", {},
          h("td", {}, row.why), h("td", { title: fullMoment(row.time) }, moment(row.time)), h("td", { class: "number" }, count(row.results)),
          h("td", {}, h("button", { type: "button", "aria-label": `Undo ${row.why}`, on: { click: (event) => done(event.target, { do: "undo", number: row.number }) } }, "Undo"))))))
        : h("p", { class: "quiet" }, "Nothing was forgotten that can come back."));
  }

  function take(plain) {
    if (plain.forgot === was) return;
    was = plain.forgot;
    refresh();
  }

  take(first);
  return { element: h("div", { class: "view" }, room), take };
}
