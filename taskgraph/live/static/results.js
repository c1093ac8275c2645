// The newest results of a function, each as what it is, as far as that runs nothing.

import { Refused, act, address, fill, get, go, h, paced, state } from "../pages/dom.js";
import { count, moment } from "../pages/format.js";
import { shortName } from "./states.js";

const SHOWN = 12;
const EVERY = 3000; // milliseconds

/** Make the view. */
export function results(first) {
  const choice = h("select", { on: { change: () => go({ function: choice.value }, { replace: true }) } });
  const told = h("span", { class: "quiet" });
  const room = h("div", { class: "gallery" });
  const element = h("div", { class: "view" }, h("section", {},
    h("div", { class: "filters" }, h("label", {}, "Newest results of", choice), told), room));
  let now = first;
  let signature = "";
  let cards = new Map(); // those that stay are not loaded again

  function functions() {
    const names = now.functions.filter((one) => one.done).map((one) => one.name);
    if (names.length !== choice.children.length) {
      fill(choice, names.map((name) => h("option", { value: name, title: name }, shortName(name))));
    }
    choice.value = names.includes(state().function) ? state().function : names.at(-1) ?? "";
  }

  async function refresh() {
    functions();
    const name = choice.value;
    const done = now.functions.find((one) => one.name === name)?.done ?? 0;
    const sign = `${name} ${done} ${now.forgot}`;
    if (sign === signature) return;
    signature = sign;
    if (!name) {
      fill(room, h("p", { class: "quiet" }, "There are no results yet."));
      return;
    }
    const found = await get("tasks", { function: name, state: "done", sort: "ended", down: 1, count: SHOWN });
    if (sign !== signature) return;
    fill(told, `${count(found.rows.length)} of ${count(found.total)}; all are among Tasks`);
    const before = cards;
    cards = new Map(found.rows.map((row) => [`${row.key} ${row.ended}`, row]));
    for (const [name, row] of cards) cards.set(name, before.get(name) ?? card(row));
    fill(room, [...cards.values()]);
  }

  refresh();
  const follow = paced(refresh, EVERY);
  return { element, moved: refresh, take: (plain) => { now = plain; follow(); } };
}

function card(row) {
  const room = h("div");
  const words = `${shortName(row.function)}(${row.arguments})`;
  const figure = h("figure", {}, room, h("figcaption", {},
    h("a", { href: `#${new URLSearchParams({ view: "tasks", task: row.key })}` }, words),
    h("span", { class: "quiet" }, row.ended === null ? null : ` ${moment(row.ended)}`)));
  act("value/open", { key: row.key }).then(
    (about) => fill(room, small(row.key, about, words)),
    (error) => {
      if (!(error instanceof Refused)) throw error;
      fill(room, h("p", { class: "bad" }, error.message));
    });
  return figure;
}

function small(key, about, words) {
  if (about.kind === "picture" || about.kind === "volume") {
    const plane = Math.floor(about.planes / 2);
    return h("div", { class: "image" }, h("img", { src: address("value/picture", { key, plane }), alt: `${words}: ${about.summary}` }));
  }
  if (about.kind === "pickle") return h("p", { class: "quiet" }, "a pickle, which is loaded when you ask for it");
  if (about.kind === "text") return h("pre", {}, about.text.slice(0, 600));
  return h("p", {}, about.summary);
}
