// The figures that are read first.

import { el } from "./dom.js";
import { count, grams, joules, number, percent, UNKNOWN } from "./format.js";

const section = document.getElementById("headline");
const known = {};

/** Takes what changed of `now`, `traffic` and `saving`. */
export function showHeadline(part, data) {
  known[part] = data;
  section.replaceChildren(intensity(), rate(), energy(), carbon(), saving());
}

/** What is no longer known is not left standing as if it were. */
export function unknownHeadline(part) {
  showHeadline(part, null);
}

function intensity() {
  const now = known.now;
  const reading = now?.reading;
  if (!reading) return tile("intensity", "Grid now", UNKNOWN, "g/kWh", now ? "unknown" : "");
  return tile("intensity", "Grid now", number(reading.g_per_kwh), "g/kWh", `${now.zone}, ${reading.status}${now.stale ? ", stale" : ""}`);
}

function rate() {
  const traffic = known.traffic;
  if (!traffic) return tile("rate", "Requests", UNKNOWN, "per minute", "");
  const whole = `last 5 min; ${number(traffic.per_minute)} over the ${traffic.span}, ${count(traffic.requests_n)} in all`;
  return tile("rate", "Requests", number(traffic.latest_per_minute), "per minute", whole);
}

function energy() {
  const traffic = known.traffic;
  const [value, unit] = joules(traffic?.per_request_j ?? null);
  const spread = traffic?.per_request_uncertainty_j ?? null;
  return tile("energy", "Energy per request", value, unit, spread === null ? "" : `± ${joules(spread).join(" ")}, mean of the ${traffic.span}`);
}

function carbon() {
  const traffic = known.traffic;
  const first = traffic?.carbon[0];
  const [value, unit] = grams(first?.per_request_g ?? null);
  const more = traffic && traffic.carbon.length > 1 ? `; ${traffic.carbon.length - 1} more below` : "";
  return tile("carbon", "Carbon per request", value, first ? `${unit} CO₂e` : "", first ? `${first.kind}, ${first.factors}${more}` : "");
}

function saving() {
  const { overall, measured } = known.saving ?? { overall: [], measured: [] };
  const most = [...overall, ...measured].find((each) => each.quantity === "energy");
  if (!most) return tile("saved", "Energy saved, measured", UNKNOWN, "", known.saving ? "no control group to compare with" : "");
  const note = `95 %: ${percent(most.low)} to ${percent(most.high)}${most.doubts.length ? `; ! doubts: see below` : ""}`;
  return tile("saved", "Energy saved, measured", percent(most.saving), "", note);
}

function tile(id, name, value, unit, note) {
  return el("div", { class: "tile", id: `tile-${id}` }, el("p", { class: "name" }, name),
    el("p", { class: "value" }, value, unit ? el("small", {}, ` ${unit}`) : null), el("p", { class: "note" }, note));
}
