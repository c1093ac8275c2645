// The states of tasks: each has a sign and a word besides a colour.

import { h } from "../pages/dom.js";

export const STATES = ["failed", "blocked", "waiting", "ready", "running", "done"];
/** In which order bars show them. */
export const BARS = ["done", "running", "failed", "blocked", "ready", "waiting"];
const SIGNS = { failed: "✕", blocked: "⊘", waiting: "·", ready: "○", running: "▸", done: "✓" };

/** Return a state as sign and word. */
export function stateText(state) {
  return h("span", { class: `state state-${state}` }, h("span", { "aria-hidden": "true" }, `${SIGNS[state]} `), state);
}

/** Return a function's name without its module. */
export function shortName(name) {
  return name.split(".").at(-1);
}
