// One task: its record, what it needs, what needs it, its value.

import { fill, get, h, link } from "../pages/dom.js";
import { count, duration, fullMoment, moment, size } from "../pages/format.js";
import { forgetting } from "./actions.js";
import { shortName, stateText } from "./states.js";
import { value } from "./value.js";

/** Make what shows a task. */
export function task(key, { acts }) {
  const element = h("div");
  const shown = { state: "", value: null };
  let closed = false;

  async function refresh() {
    let about;
    try {
      about = await get("task", { key });
    } catch (error) {
      if (!closed) fill(element, h("p", { class: "bad", role: "alert" }, error.message));
      return;
    }
    if (closed) return;
    const same = shown.state === `${about.state} ${about.record?.start}`;
    shown.state = `${about.state} ${about.record?.start}`;
    if (!same) {
      shown.value?.close();
      shown.value = about.state === "done" ? value(key) : null;
    }
    fill(element, parts(about, acts, shown.value));
  }

  refresh();
  return { element, refresh, close: () => { closed = true; shown.value?.close(); } };
}

function parts(about, acts, seen) {
  const record = about.record;
  return [
    h("div", { class: "head2" }, h("h2", {}, `${shortName(about.function)}(${about.arguments})`), stateText(about.state)),
    h("p", { class: "code quiet" }, about.key),
    acts ? h("div", { class: "actions" }, forgetting({ key: about.key }, "Forget this result")) : null,
    record?.failure ? failed(record) : null,
    seen ? [h("h3", {}, "Value"), seen.element] : null,
    record?.output ? [h("h3", {}, "What it printed"), printed(record.output, "What it printed")] : null,
    links("Needs", about.needs, about.needs_count),
    links("Needed by", about.needed_by, about.needed_by_count),
    h("h3", {}, "Record"), fields(about, record),
  ];
}

/** Return text in a room of its own that can be scrolled. */
export function printed(text, label) {
  return h("pre", { class: "print", tabindex: "0", role: "region", "aria-label": label }, text);
}

function failed(record) {
  const { failure } = record;
  return [h("h3", { class: "bad" }, `${failure.error || failure.cause}: ${failure.message}`),
    failure.traceback ? printed(failure.traceback, "Traceback") : null];
}

function links(title, rows, many) {
  if (!many) return null;
  return [h("h3", {}, `${title} ${count(many)}`),
    h("ul", { class: "links", tabindex: "0", "aria-label": title }, rows.map((row) => h("li", {},
      h("a", { href: link({ task: row.key }) }, row.call), " ", stateText(row.state))),
    many > rows.length ? h("li", { class: "quiet" }, `and ${count(many - rows.length)} more`) : null)];
}

function fields(about, record) {
  const rows = [["function", about.function], ["asks for", about.resources], ["locked by", about.holder]];
  if (record) {
    const commit = record.git?.commit ? `${record.git.commit}${record.git.dirty ? ", with changes that were not committed" : ""}` : null;
    const packages = Object.entries(record.packages ?? {}).sort().map(([name, version]) => `${name} ${version}`);
    rows.push(
      ["started", h("span", { title: fullMoment(record.start) }, moment(record.start))],
      ["ended", h("span", { title: fullMoment(record.end) }, moment(record.end))],
      ["time", h("span", { title: `${record.wall} s` }, `${duration(record.wall)}, CPU ${duration(record.cpu)}`)],
      ["peak memory", size(record.peak_rss)],
      ["attempt", record.attempt],
      ["size", record.size === undefined ? null : size(record.size)],
      ["blobs", record.blobs?.length ? record.blobs.map((blob) => h("div", {}, h("span", { class: "code" }, blob.name), ` ${size(blob.size)}`)) : null],
      ["host", [record.host, record.user ? `user ${record.user}` : null, record.pid ? `pid ${record.pid}` : null].filter(Boolean).join(", ")],
      ["job", record.job], ["from jug", record.jug ? String(record.jug) : null],
      ["Python", record.python], ["commit", commit], ["code", record.code ? h("span", { class: "code" }, record.code.slice(0, 64)) : null],
      ["packages", packages.join(", ")]);
  }
  return h("dl", {}, rows.filter(([, what]) => what !== null && what !== undefined && what !== "").map(([name, what]) => [h("dt", {}, name), h("dd", {}, what)]));
}
