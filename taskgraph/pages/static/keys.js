// Keys of a page, and the help that lists them: `?` shows it.

import { fill, h } from "./dom.js";

const known = [];
let help;

/**
 * Let keys do something: keys([["f", "fit the image", fit], ["[ ]", "parameter", f]]).
 * Each is [keys, what they do, f(key)], where several keys stand apart by a space; "space",
 * "shift+z", "ArrowLeft" are written so. Nothing happens while somebody types a text.
 * @returns {function()} What takes them back.
 */
export function keys(list) {
  const rows = list.map(([names, what, call]) => ({ names: names.split(" "), what, call }));
  known.push(...rows);
  return () => rows.forEach((row) => known.splice(known.indexOf(row), 1));
}

function nameOf(event) {
  if (event.key === " ") return event.shiftKey ? "shift+space" : "space";
  const shifted = event.shiftKey && (event.key.length > 1 || /^\p{L}$/u.test(event.key));
  return shifted ? `shift+${event.key.length > 1 ? event.key : event.key.toLowerCase()}` : event.key;
}

const TYPED = new Set(["text", "search", "number", "password", "email", "url", "tel"]);

/** Return whether keys at an element write a text, so that they mean nothing else. */
export function typing(element) {
  if (!(element instanceof HTMLElement)) return false;
  if (element.isContentEditable || element.tagName === "TEXTAREA" || element.tagName === "SELECT") return true;
  return element.tagName === "INPUT" && TYPED.has(element.type);
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const name = nameOf(event);
  // Space and Enter belong to what has the focus.
  if ((name === "space" || name === "Enter") && event.target.closest?.("button, a, summary, input")) return;
  if (name === "?") {
    event.preventDefault();
    showKeys();
    return;
  }
  const row = known.findLast((one) => one.names.includes(name));
  if (row && row.call(name, event) !== false) event.preventDefault();
});

/** Show which keys there are. */
export function showKeys() {
  help ??= h("dialog", { "aria-labelledby": "keys-title" });
  if (!help.isConnected) document.body.append(help);
  const rows = [...known, { names: ["?"], what: "these keys" }, { names: ["Escape"], what: "close" }];
  fill(help,
    h("h2", { id: "keys-title" }, "Keys"),
    h("dl", { class: "keys" }, rows.map((row) => [
      h("dt", {}, row.names.map((name, place) => [place ? " " : null, h("kbd", {}, name)])),
      h("dd", {}, row.what),
    ])),
    h("form", { method: "dialog" }, h("button", {}, "Close")));
  help.showModal();
}

/** Return a button that shows the keys. */
export function keysButton() {
  return h("button", { class: "plain", type: "button", title: "Keys", "aria-label": "Keys", on: { click: showKeys } }, "?");
}
