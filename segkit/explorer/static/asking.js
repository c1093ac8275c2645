// Requests for arrays: of each view the newest wins, and at most one is on its way.

import { get, Refused } from "../pages/dom.js";

const PATIENCE = 400; // milliseconds after which a newer request does not wait any more
const TYPES = {
  bool: Uint8Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array,
  int32: Int32Array, float32: Float32Array, float64: Float64Array,
};
const PAGE = crypto.getRandomValues(new Uint32Array(2)).join("-");

let token;

async function post(path, body, signal) {
  token ??= get("acting").then((answer) => answer.token);
  const headers = { "x-token": await token, "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw new Refused(0, "the server of this page does not answer; is it still running?");
  }
  if (answer.status === 204) return null; // a newer one has come
  if (!answer.ok) {
    const plain = (answer.headers.get("content-type") ?? "").startsWith("application/json");
    throw new Refused(answer.status, plain ? (await answer.json()).error : await answer.text());
  }
  return answer;
}

/** Return the JSON that a path answers; null if a newer request has come meanwhile. */
export async function asked(path, body = {}) {
  const answer = await post(path, body);
  return answer && answer.json();
}

/** Return the header and the arrays by name of a packed answer. */
export function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  const header = JSON.parse(text);
  const arrays = {};
  for (const { name, dtype, shape, at } of header.arrays) {
    const count = shape.reduce((product, length) => product * length, 1);
    arrays[name] = new TYPES[dtype](buffer, 4 + length + at, count);
  }
  return { header, arrays };
}

/**
 * Return a function that asks for something again and again: ask(body).
 * @param {string} path
 * @param {string} name Of the view: the server drops what is not its newest request.
 * @param {function(object, object)} take Called with what was answered, and the body.
 * @param {function(Error)} fail
 * @param {function(number, object)} timed Called with how long an answer took, also one that
 *   came too late to be of use, and the body.
 */
export function channel(path, name, take, fail, timed = () => {}) {
  let number = 0;
  let began = 0;
  let shown = 0;
  let waiting = null;
  let timer;

  async function send(body) {
    const mine = ++number;
    const sent = performance.now();
    began = body.whole ? 0 : sent; // for which nothing waits
    waiting = null;
    try {
      const answer = await post(path, { ...body, channel: `${PAGE} ${name}`, number: mine });
      timed(performance.now() - sent, body);
      if (answer && mine > shown) {
        const packed = !(answer.headers.get("content-type") ?? "").startsWith("application/json");
        const found = packed ? unpacked(await answer.arrayBuffer()) : await answer.json();
        if (mine > shown) {
          shown = mine;
          take(found, body);
        }
      }
    } catch (error) {
      if (mine === number) fail(error);
    } finally {
      if (mine === number) {
        began = 0;
        if (waiting) send(waiting);
      }
    }
  }

  return (body) => {
    waiting = body;
    clearTimeout(timer);
    const left = began ? PATIENCE - (performance.now() - began) : 0;
    if (left <= 0) send(body);
    else timer = setTimeout(() => waiting && send(waiting), left);
  };
}
