// What a page shows: one plain object, kept in the address; its steps can be undone.

import { link, state as addressed } from "../pages/dom.js";

const DEEP = 200; // changes that can be undone

const encode = (value) => btoa(unescape(encodeURIComponent(JSON.stringify(value))))
  .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const decode = (text) => JSON.parse(decodeURIComponent(escape(
  atob(text.replaceAll("-", "+").replaceAll("_", "/")))));

export class Model {
  /** @param {object} start What the page begins with; the address goes before it. */
  constructor(start) {
    this.now = { ...start };
    try {
      const kept = addressed().s;
      if (kept) Object.assign(this.now, decode(kept));
    } catch {
      // An address that somebody has cut: it begins anew.
    }
    this.past = [];
    this.future = [];
    this.listeners = [];
    this.gesture = null;
  }

  /** Call a function after each change, with the names of what has changed. */
  listen(call) {
    this.listeners.push(call);
  }

  /** Change something; steps can be undone, and what changes in one gesture is one change. */
  set(changes, { gesture = null } = {}) {
    if ("steps" in changes && !(gesture && gesture === this.gesture)) {
      this.past.push(this.now.steps);
      if (this.past.length > DEEP) this.past.shift();
      this.future = [];
    }
    this.gesture = gesture;
    Object.assign(this.now, changes);
    this.tell(Object.keys(changes));
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.now.steps);
    this.now.steps = from.pop();
    this.gesture = null;
    this.tell(["steps", "list"]);
  }

  tell(names) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), 300);
    this.listeners.forEach((call) => call(names));
  }

  keep() {
    history.replaceState(null, "", link({ s: encode({ ...this.now, moving: undefined }) }));
  }
}

/** Return the steps with one of them changed by a function. */
export function changed(steps, place, change) {
  return steps.map((step, k) => (k === place ? change(structuredClone(step)) : step));
}

/** Return the value of a step's option; undefined if it is not said. */
export function optionOf(step, path) {
  return path.reduce((value, name) => value?.[name], step?.with ?? {});
}

/** Set an option of a step, or take it out; returns the step. */
export function withOption(step, path, value) {
  step.with ??= {};
  let inside = step.with;
  for (const name of path.slice(0, -1)) inside = inside[name] ??= {};
  const last = path.at(-1);
  if (value === undefined) delete inside[last];
  else inside[last] = value;
  return step;
}
