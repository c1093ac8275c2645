// Elements, requests, the address: what every page is made with.
//
// Data becomes text here and nothing else. There is no innerHTML, and an attribute that a
// browser would run (onclick, a javascript: address) is refused.

const SVG = "http://www.w3.org/2000/svg";
const ADDRESSES = new Set(["href", "src", "action", "formaction", "xlink:href", "data"]);
const SAFE = /^(#|\?|\.?\.?\/|[\w.%-]+(?:[/?#]|$)|https?:|blob:|data:image\/(?:png|jpeg);)/i;

/**
 * Make an element: h("p", {class: "quiet"}, "12 tasks").
 * @param {string} tag
 * @param {object} attributes Attributes by name; `on: {click: f}` listens; false, null and
 *   undefined are left out, true is an empty attribute; `value`, `checked`, `disabled` and
 *   `open` are set as properties; `style: {width: "3px"}` sets properties of the style.
 * @param {...(Node|string|number|null|Array)} children What is no node becomes text.
 */
export function h(tag, attributes = {}, ...children) {
  return made(document.createElement(tag), attributes, children);
}

/** Make an element of SVG; as `h`. */
export function s(tag, attributes = {}, ...children) {
  return made(document.createElementNS(SVG, tag), attributes, children);
}

/** Put children in the place of all that an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(there));
  return element;
}

function there(child) {
  return child !== null && child !== undefined && child !== false;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "open"]);

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, call] of Object.entries(value)) element.addEventListener(event, call);
    } else if (name === "style") {
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    } else if (PROPERTIES.has(name)) {
      element[name] = value;
    } else {
      attribute(element, name, value);
    }
  }
  element.append(...children.flat(Infinity).filter(there).map((child) =>
    child instanceof Node ? child : String(child)));
  return element;
}

function attribute(element, name, value) {
  if (/^on/i.test(name) || name.toLowerCase() === "srcdoc") {
    throw new Error(`${name} is not set from data`);
  }
  if (ADDRESSES.has(name.toLowerCase()) && !SAFE.test(String(value).trim())) {
    throw new Error(`${value} is no address to follow`);
  }
  element.setAttribute(name, value === true ? "" : String(value));
}

// ---------------------------------------------------------------------- requests

/** What the server said no to, as a sentence. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

const GONE = "the server of this page does not answer; is it still running?";

async function answered(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, GONE);
  }
  const plain = (answer.headers.get("content-type") ?? "").startsWith("application/json");
  if (!answer.ok) {
    const said = plain ? (await answer.json()).error : (await answer.text()).trim();
    throw new Refused(answer.status, said || `the server answered ${answer.status}`);
  }
  return answer;
}

/** Return an address with a query: `path`, and what is not null of `query`. */
export function address(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => there(value) && value !== "");
  const text = new URLSearchParams(kept).toString();
  return text ? `${path}?${text}` : path;
}

/** Return the JSON that is at a path; raises Refused. */
export async function get(path, query = {}, { signal } = {}) {
  return (await answered(fetch(address(path, query), { signal }))).json();
}

/** Return the bytes that are at a path, and the headers they came with. */
export async function getBytes(path, query = {}, { signal } = {}) {
  const answer = await answered(fetch(address(path, query), { signal }));
  return { bytes: await answer.arrayBuffer(), headers: answer.headers };
}

let acting;

/** Let the server do something: a POST with the token that only this page can read. */
export async function act(path, body = {}, { signal } = {}) {
  acting ??= get("acting").catch((error) => {
    acting = undefined;
    throw error;
  });
  const { token } = await acting;
  const headers = { "x-token": token, "content-type": "application/json" };
  const sent = fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  return (await answered(sent)).json();
}

/**
 * Follow a stream of events, each of which is JSON, while somebody can see the page.
 * @param {string} path
 * @param {function(object)} take Called with each value.
 * @param {function(boolean)} connected Called when the server is there, and when it is not.
 * @returns {function()} What ends it.
 */
export function follow(path, take, connected = () => {}) {
  let source;
  let timer;
  let ended = false;
  const open = () => {
    if (document.hidden) return;
    source = new EventSource(path);
    source.onopen = () => connected(true);
    source.onmessage = (event) => take(JSON.parse(event.data));
    source.onerror = () => {
      connected(false);
      source.close();
      if (!ended) timer = setTimeout(open, 2000);
    };
  };
  const seen = () => {
    clearTimeout(timer);
    source?.close();
    open();
  };
  document.addEventListener("visibilitychange", seen);
  open();
  return () => {
    ended = true;
    document.removeEventListener("visibilitychange", seen);
    clearTimeout(timer);
    source?.close();
  };
}

// ------------------------------------------------------------------- the address

/** Return the state that the address has, as text by name. */
export function state() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Return the address of the state with some changes; null or "" takes one out. */
export function link(changes, { from = state() } = {}) {
  const kept = Object.entries({ ...from, ...changes }).filter(
    ([, value]) => there(value) && value !== "");
  return `#${new URLSearchParams(kept).toString()}`;
}

/** Change the state; `replace` makes no new step for the browser's Back. */
export function go(changes, { replace = false, from } = {}) {
  const to = link(changes, { from });
  if (to === (location.hash || "#")) return;
  if (replace) {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = to;
  }
}

// ------------------------------------------------------------------------ speech

const spoken = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });

/** Let those hear something who do not see it. */
export function announce(text) {
  if (!spoken.isConnected) document.body.append(spoken);
  spoken.textContent = text;
}

/** Return a function that calls another one when nothing more has come for a while. */
export function settled(call, milliseconds) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...given);
  };
}

/**
 * Return a function that lets another one, which may be async, be called once in a while.
 *
 * In between nine times as long passes as it took, and a second at least: so all pages
 * together have their server busy for a tenth of the time, however many they are, as who
 * waits for others takes longer.
 */
export function paced(call, least = 1000) {
  let busy = false;
  let wanted = false;
  async function run() {
    [busy, wanted] = [true, false];
    const began = performance.now();
    try {
      await call();
    } finally {
      setTimeout(() => {
        busy = false;
        if (wanted) run();
      }, Math.max(least, 9 * (performance.now() - began)));
    }
  }
  return () => {
    wanted = true;
    if (!busy) run();
  };
}

/** Return a button that changes the theme, and keeps it for the next time. */
export function themeButton() {
  const dark = () => (document.documentElement.dataset.theme
    ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const button = h("button", { class: "plain", type: "button" });
  const label = () => fill(button, dark() ? "Light" : "Dark");
  button.title = "Switch between the light and the dark theme";
  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // It holds for this page only.
    }
    label();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  label();
  return button;
}
