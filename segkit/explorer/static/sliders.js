// Sliders with a number field: made of what the server says of a parameter.

import { h } from "../pages/dom.js";

const PLACES = 1000;

/** The value at a place of a slider, and the place of a value. */
export function scale({ low, high, log, kind }) {
  const whole = kind === "integer";
  const round = (value) => (whole ? Math.round(value) : Number(value.toPrecision(4)));
  if (log) {
    const ratio = Math.log(high / low);
    return {
      value: (place) => round(low * Math.exp((ratio * place) / PLACES)),
      place: (value) => Math.round((PLACES * Math.log(Math.max(value, low) / low)) / ratio),
    };
  }
  return {
    value: (place) => round(low + ((high - low) * place) / PLACES),
    place: (value) => Math.round((PLACES * (value - low)) / (high - low)),
  };
}

/**
 * Make the controls of a parameter.
 * @param {object} parameter As the server describes it.
 * @param {*} value What it is; undefined if it is not said.
 * @param {string} id Unique in the page.
 * @param {function(*, boolean)} change Called with a new value, undefined for the default,
 *   and whether it is still moving.
 */
export function controls(parameter, value, id, change) {
  const { kind, name } = parameter;
  const label = h("label", { for: id }, name.replaceAll("_", " "));
  if (kind === "switch") {
    const box = h("input", {
      type: "checkbox", id, checked: value ?? parameter.default ?? false,
      on: { change: () => change(box.checked, false) },
    });
    return h("div", { class: "parameter", "data-name": name }, label, box);
  }
  if (kind === "choice") {
    const select = h("select", { id, on: { change: () => change(select.value, false) } },
      parameter.choices.map((one) => h("option", { value: one }, one)));
    select.value = value ?? parameter.default ?? parameter.choices[0];
    return h("div", { class: "parameter", "data-name": name }, label, select);
  }
  if (kind === "text" || kind === "numbers" || Array.isArray(value)) return texts(parameter, value, id, label, change);
  return numbers(parameter, value, id, label, change);
}

function texts(parameter, value, id, label, change) {
  const list = parameter.kind !== "text";
  const said = value ?? parameter.default ?? "";
  const field = h("input", {
    type: "text", id, class: "wide", value: Array.isArray(said) ? said.join(", ") : said,
    placeholder: list ? "numbers, with commas" : null,
    on: {
      change: () => change(field.value === "" ? undefined
        : list ? field.value.split(",").map(Number) : field.value, false),
    },
  });
  return h("div", { class: "parameter", "data-name": parameter.name }, label, field);
}

function numbers(parameter, value, id, label, change) {
  const { name, low, high, kind } = parameter;
  const said = value ?? parameter.default;
  const field = h("input", {
    type: "number", id, step: kind === "integer" ? 1 : "any", value: said ?? "",
    placeholder: "auto",
    on: {
      input: () => {
        if (field.value === "") return;
        if (high > low) move(Number(field.value)); // else there is no slider
        change(Number(field.value), true);
      },
      change: () => change(field.value === "" ? undefined : Number(field.value), false),
    },
  });
  if (!(high > low)) return h("div", { class: "parameter", "data-name": name }, label, field);
  const scaled = scale(parameter);
  const range = h("input", {
    type: "range", min: 0, max: PLACES, step: 1, class: "slider",
    "aria-label": `${name.replaceAll("_", " ")}, slider`,
    title: `${low} to ${high}; double click: the default`,
    value: said === null || said === undefined ? 0 : scaled.place(said),
  });
  const move = (next) => {
    range.value = scaled.place(next);
    range.setAttribute("aria-valuetext", String(next));
  };
  if (said !== null && said !== undefined) range.setAttribute("aria-valuetext", String(said));
  const take = (next, moving) => {
    field.value = next;
    range.setAttribute("aria-valuetext", String(next));
    change(next, moving);
  };
  range.addEventListener("input", () => take(scaled.value(Number(range.value)), true));
  range.addEventListener("change", () => change(scaled.value(Number(range.value)), false));
  range.addEventListener("dblclick", () => {
    change(parameter.default === null ? undefined : parameter.default, false);
  });
  range.addEventListener("keydown", (event) => {
    const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!sign) return;
    event.preventDefault();
    event.stopPropagation();
    const now = field.value === "" ? low : Number(field.value);
    const times = event.shiftKey ? 10 : 1;
    let next = scaled.value(Math.min(PLACES, Math.max(0, scaled.place(now) + sign * 10 * times)));
    if (kind === "integer" && (next === now || !parameter.log)) next = now + sign * times;
    next = Math.min(high, Math.max(low, next));
    move(next);
    take(next, true);
  });
  return h("div", { class: "parameter", "data-name": name }, label, range, field);
}
