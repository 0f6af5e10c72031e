// Whether what the figures rest on works.

import { el, show } from "./dom.js";

const section = document.getElementById("health");
const WORDS = { ok: "✓ ok", warn: "! warn", fail: "✗ fail" };

export function showHealth({ findings }) {
  show(section, el("ul", { class: "findings" }, ...findings.map(({ part, state, found, fix }) => el("li", {},
    el("span", { class: state }, WORDS[state] ?? state), el("span", { class: "quiet" }, part),
    el("span", { class: "what" }, found, fix ? el("span", { class: "fix" }, `→ ${fix}`) : null)))));
}
