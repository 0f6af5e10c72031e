// What was served in the span: the mix of directives, and what a request costs.

import { el, show, table } from "./dom.js";
import { count, joules, percent, unit } from "./format.js";
import { legend, Plot, style } from "./plot.js";

const mix = document.getElementById("mix");
const cost = document.getElementById("cost");
const mixPlot = new Plot("Requests per minute by directive over the span");
const costPlot = new Plot("Energy and carbon per request over the span");
const NONE = "No request in this span. What CarbonAware serves is here a few seconds later.";

export function showTraffic(data) {
  showMix(data);
  showCost(data);
}

function showMix({ directives, plots, others, requests_n, errors_n, new_tokens, step_s }) {
  if (!requests_n) {
    show(mix, el("p", { class: "empty" }, NONE), ...otherRows(others));
    return;
  }
  const lines = directives.map(({ directive }, n) =>
    ({ label: directive, unit: "/min", values: plots.mix[n], axis: "n", ...style(n) }));
  const shares = directives.map(({ directive, share, per_request_j }, n) =>
    ({ label: `${directive} ${percent(share)}, ${joules(per_request_j).join(" ")} each`, ...style(n) }));
  show(mix, ...mixPlot.elements.slice(0, 1), legend(shares), ...mixPlot.elements.slice(1), ...otherRows(others));
  const errors = errors_n ? `, ${count(errors_n)} with errors` : "";
  mixPlot.update({ times_s: plots.times_s, step_s, lines, stacked: true,
    hint: `${count(requests_n)} requests${errors}, ${count(new_tokens)} tokens generated.` });
}

function showCost({ carbon, plots, requests_n, energy_known_n, carbon_unknown_n, methods, step_s }) {
  if (!requests_n) {
    show(cost, el("p", { class: "empty" }, NONE));
    return;
  }
  const [jFactor, jUnit] = unit(plots.per_request_j, "J");
  const [gFactor, gUnit] = unit(plots.per_request_g.flat(), "g");
  const lines = [{ label: "energy", unit: jUnit, axis: "j", values: plots.per_request_j.map(by(jFactor)), ...style(0) }];
  for (const [n, each] of carbon.entries()) {
    const label = carbon.length > 1 ? `carbon (${each.kind}, ${each.factors})` : "carbon";
    lines.push({ label, unit: `${gUnit} CO₂e`, axis: "g", values: plots.per_request_g[n].map(by(gFactor)), ...style(5 - n) });
    lines.at(-1).dash = style(n + 1).dash;
  }
  show(cost, ...costPlot.elements.slice(0, 1), legend(lines.map((line) => ({ ...line, label: `${line.label}, ${line.unit}` }))),
    ...costPlot.elements.slice(1));
  const known = Object.entries(methods).map(([method, n]) => `${method === "none" ? "unknown" : method} ${percent(n / requests_n)}`);
  const unknown = [energy_known_n < requests_n ? `${count(requests_n - energy_known_n)} of unknown energy` : "",
    carbon_unknown_n ? `${count(carbon_unknown_n)} of unknown carbon` : ""].filter(Boolean).join(", ");
  const kinds = carbon.map((each) => `${each.kind}, ${each.factors}`).join("; ");
  costPlot.update({ times_s: plots.times_s, step_s, lines,
    hint: `Energy: ${known.join(", ")}.${unknown ? ` ${unknown}.` : ""}${kinds ? ` Carbon: ${kinds}, operational.` : ""}` });
}

function otherRows(others) {
  if (!others.length) return [];
  const rows = others.map((other) => [other.purpose, count(other.requests_n), joules(other.energy_j).join(" ")]);
  return [el("h3", {}, "Not counted above"),
    table([{ name: "purpose" }, { name: "runs", number: true }, { name: "energy", number: true }], rows)];
}

const by = (factor) => (value) => (value === null ? null : value / factor);
