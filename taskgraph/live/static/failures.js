// What failed, equal causes together.

import { fill, get, h, paced } from "../pages/dom.js";
import { count, counted, fullMoment, moment } from "../pages/format.js";
import { forgetting, retrying } from "./actions.js";
import { shortName } from "./states.js";
import { printed } from "./task.js";

const failedOf = (plain) => plain.functions.map((one) => `${one.name}:${one.failed}`).join() + plain.forgot;

/** Make the view. */
export function failures(first) {
  const room = h("section");
  const element = h("div", { class: "view" }, room);
  const open = new Set([0]);
  let was = "";
  let now = first;

  const refresh = paced(async () => {
    const plain = now;
    let found;
    try {
      found = await get("failures");
    } catch (error) {
      fill(room, h("p", { class: "bad", role: "alert" }, error.message));
      return;
    }
    const listed = found.groups.reduce((sum, group) => sum + group.count, 0);
    fill(room,
      h("div", { class: "head2" }, h("h2", {}, found.total ? `${count(found.total)} failed, by ${counted(found.groups.length, "cause")}` : "No task has failed"),
        plain.acts && found.total ? retrying(null, "Let all run again") : null),
      found.damaged ? h("p", { class: "bad" }, `${count(found.damaged)} failed, and why is lost: their records are damaged`) : null,
      found.groups.map((group, place) => shown(group, place, plain.acts, open)),
      listed < found.total ? h("p", { class: "quiet" }, `and ${count(found.total - listed)} more; see \`tg errors\``) : null);
  });

  function take(plain) {
    const is = failedOf(plain);
    if (is === was) return;
    was = is;
    now = plain;
    refresh();
  }

  take(first);
  return { element, take };
}

function shown(group, place, acts, open) {
  const messages = new Set(group.tasks.map((one) => one.message)).size;
  const title = `${group.error || group.cause}: ${group.message}`;
  const element = h("details", { class: "group", open: open.has(place), on: { toggle: () => (element.open ? open.add(place) : open.delete(place)) } },
    h("summary", {}, h("b", { class: "bad" }, `${count(group.count)} of ${shortName(group.function)} `), `(${group.cause}) `, title,
      messages > 1 ? h("span", { class: "quiet" }, ` and ${counted(messages - 1, "other message")}`) : null),
    group.traceback ? printed(group.traceback, "Traceback") : null,
    acts ? h("div", { class: "actions" }, retrying(group.function, `Let ${shortName(group.function)} run again`), forgetting({ function: group.function }, `Forget all of ${shortName(group.function)}`)) : null,
    group.tasks.map((one) => row(one, group, messages > 1)),
    group.count > group.tasks.length ? h("p", { class: "quiet" }, `and ${count(group.count - group.tasks.length)} more`) : null);
  return element;
}

function row(one, group, several) {
  const link = `#${new URLSearchParams({ view: "tasks", task: one.key })}`;
  return h("div", {},
    h("p", {}, h("a", { href: link }, `${shortName(group.function)}(${one.arguments})`),
      several ? ` ${one.message}` : null,
      h("span", { class: "quiet", title: fullMoment(one.ended) }, ` on ${one.host}, ${moment(one.ended)}${one.attempt > 1 ? `, after ${one.attempt} attempts` : ""}`)),
    one.output ? printed(one.output, `What ${shortName(group.function)}(${one.arguments}) printed`) : null);
}
