// What was saved: measured with its interval, and modelled; apart, as they answer different questions.

import { el, show, svg, table } from "./dom.js";
import { count, percent } from "./format.js";

const section = document.getElementById("saving");
const list = el("div", { class: "scroll", tabindex: "0" });
const details = el("details", {}, el("summary", {}, "Table"), list);

export function showSaving({ overall, measured: apart, modelled }) {
  const measured = [...overall, ...apart];
  const reach = reachOf(measured);
  show(section,
    el("h3", {}, "Measured against the control group, 95 % interval"),
    measured.length ? measured.map((each) => measuredRow(each, reach, overall.length)) : el("p", { class: "empty" }, "Nothing to compare: no control group of two or more requests in this span."),
    measured.length ? measuredTable(measured) : null,
    el("h3", {}, "Modelled by the policies in force"),
    modelled.length ? modelledTable(modelled) : el("p", { class: "quiet" }, "No tuned policy: nothing is modelled."));
}

function measuredRow(each, reach, several) {
  const under = !several ? "" : each.policy_version === null ? ", all policies together" : `, ${each.policy_version}`;
  return el("div", { class: "row" },
    el("p", {}, `${named(each)}${under}: `, el("strong", {}, percent(each.saving)), ` (${percent(each.low)} to ${percent(each.high)})`),
    picture(each, reach), ...each.doubts.map((doubt) => el("p", { class: "doubt" }, `! ${doubt}`)));
}

/** How far one scale for all of them reaches to either side of nothing saved. */
function reachOf(measured) {
  const furthest = Math.max(...measured.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
  return [0.1, 0.25, 0.5].find((each) => furthest <= each) ?? 1;
}

function picture({ saving, low, high }, reach) {
  const x = (share) => `${50 + 48 * Math.max(-1, Math.min(1, share / reach))}%`;
  const line = (attributes, colour) => coloured(svg("line", attributes), "stroke", colour);
  const tick = (share) => coloured(svg("text", { x: x(share), y: 36, "text-anchor": share < 0 ? "start" : share > 0 ? "end" : "middle", "font-size": 11 },
    percent(share)), "fill", "--quiet");
  return svg("svg", { class: "interval", "aria-hidden": "true" },
    line({ x1: x(-reach), x2: x(reach), y1: 12, y2: 12, "stroke-width": 6, "stroke-linecap": "round" }, "--track"),
    line({ x1: x(0), x2: x(0), y1: 3, y2: 21, "stroke-width": 1.5, "stroke-dasharray": "3 2" }, "--quiet"),
    line({ x1: x(low), x2: x(high), y1: 12, y2: 12, "stroke-width": 12 }, "--c0"),
    coloured(svg("circle", { cx: x(saving), cy: 12, r: 3.5 }), "fill", "--text"),
    tick(-reach), tick(0), tick(reach));
}

function measuredTable(measured) {
  const columns = [{ name: "quantity" }, { name: "policy" }, { name: "saving", number: true }, { name: "low", number: true },
    { name: "high", number: true }, { name: "requests", number: true }, { name: "control", number: true }];
  const rows = measured.map((each) => [named(each), each.policy_version ?? "all", percent(each.saving), percent(each.low), percent(each.high),
    count(each.policy_n), count(each.control_n)]);
  list.replaceChildren(table(columns, rows));
  return details;
}

function modelledTable(modelled) {
  const columns = [{ name: "model" }, { name: "policy", number: true }, { name: "energy", number: true }, { name: "carbon", number: true }];
  const rows = modelled.map((each) => [each.model, each.number === null ? "not tuned" : String(each.number), percent(each.energy), percent(each.carbon)]);
  return table(columns, rows);
}

function named({ quantity, intensity_kind, intensity_factors }) {
  return quantity === "energy" ? "Energy" : `Carbon (${intensity_kind ?? "unknown"}, ${intensity_factors ?? "unknown"})`;
}

function coloured(element, property, name) {
  element.style[property] = `var(${name})`;
  return element;
}
