// A page for tests, made with what all pages share.
import { act, announce, fill, follow, go, h, link, state, themeButton } from "../pages/dom.js";
import { duration } from "../pages/format.js";
import { keys, keysButton } from "../pages/keys.js";

const main = document.getElementById("main");
const notice = h("p", { class: "notice", role: "status" });
const value = h("output");
const done = h("p", { id: "done" });
const shown = h("p", { id: "shown" });
const show = () => fill(shown, `task ${state().task ?? "none"}`);
addEventListener("hashchange", show);
show();
fill(main,
  h("h1", {}, "Cells"), themeButton(), keysButton(), notice,
  h("label", {}, "Name ", h("input", { type: "text" })), value,
  h("button", { on: { click: async () => fill(done, (await act("change", { n: 2 })).n) } }, "Change"),
  done, shown, h("a", { href: link({ task: "b<i>" }) }, "the next"),
  h("div", { class: "image" }, h("p", {}, "an image")));
follow("events", (plain) => fill(value, plain.text),
  (there) => fill(notice, there ? null : "the server is gone"));
keys([["n", "next task", () => go({ task: "n" })], ["space", "say", () => announce("said")]]);
Object.assign(window, { h, duration });
