// The grid behind, now and ahead, with the spans in which jobs ran and are to run.

import { el, show } from "./dom.js";
import { number, stretch, when } from "./format.js";
import { Plot, style } from "./plot.js";

const section = document.getElementById("grid");
const plot = new Plot("Grid intensity, the last 24 hours and the next 48");
let now = null;
let stretches = [];

export function showGrid(data) {
  now = data;
  draw();
}

/** The stretches of the jobs in the grid's own zone are drawn below the curve. */
export function showWindows(jobs) {
  stretches = jobs.flatMap((job) => [
    ...job.ran.map((span) => ({ ...span, planned: false })), ...job.planned.map((span) => ({ ...span, planned: true })),
  ]);
  draw();
}

function draw() {
  if (now === null) return;
  const slots = whole([...now.behind, ...now.ahead]);
  const words = [el("p", { class: "quiet" }, provenance()), ...notes()];
  if (!slots.length) {
    show(section, ...words, el("p", { class: "empty" }, "Nothing is known of the hours around now."));
    return;
  }
  const mine = stretches.filter((span) => span.zone === now.zone)
    .map(({ start_utc, end_utc, planned }) => ({ from_s: seconds(start_utc), to_s: seconds(end_utc), planned }));
  const { colour, dash } = style(0);
  const banded = slots.some((slot) => slot.low_g_per_kwh !== null);
  if (!plot.chart.isConnected) show(section, el("div", { id: "grid-words" }), ...plot.elements);
  section.querySelector("#grid-words").replaceChildren(...words);
  plot.update({
    times_s: slots.map((slot) => seconds(slot.start_utc)),
    step_s: seconds(slots.at(-1).end_utc) - seconds(slots.at(-1).start_utc),
    lines: [{ label: "intensity", unit: "g/kWh", values: slots.map((slot) => slot.g_per_kwh), colour, dash, axis: "g" }],
    band: banded ? { high: slots.map((slot) => slot.high_g_per_kwh), low: slots.map((slot) => slot.low_g_per_kwh) } : null,
    marks: { now_s: Date.now() / 1000, stretches: mine },
    hint: hint(banded, mine),
  });
}

function provenance() {
  const { reading, zone, source } = now;
  if (reading === null) return source === null ? "Intensity unknown" : `${zone}: intensity unknown`;
  const of = `${reading.kind}, ${reading.factors}, ${reading.status}${now.stale ? ", stale" : ""}`;
  return `${zone}: ${number(reading.g_per_kwh)} g/kWh (${of}), ${reading.source}, ${stretch(new Date(reading.start_utc), new Date(reading.end_utc))}`;
}

function notes() {
  const lowest = now.ahead.reduce((least, slot) => (least === null || slot.g_per_kwh < least.g_per_kwh ? slot : least), null);
  const varied = lowest !== null && now.ahead.some((slot) => slot.g_per_kwh > lowest.g_per_kwh);
  return [
    varied ? `Lowest ahead: ${number(lowest.g_per_kwh)} g/kWh at ${when(new Date(lowest.start_utc))}` : null,
    now.reason, now.ahead_reason === now.reason ? null : now.ahead_reason,
  ].filter(Boolean).map((text) => el("p", { class: "quiet" }, text));
}

function hint(banded, mine) {
  return ["The dashed line is now.", banded ? "The shade is where 80 % of what comes is expected to lie." : "",
    mine.some((span) => !span.planned) ? "Bars below: when jobs ran." : "",
    mine.some((span) => span.planned) ? "Boxes below: when they are to run." : ""].filter(Boolean).join(" ");
}

/** In order and without overlap; what nobody knows between two is a slot without a figure. */
function whole(slots) {
  const found = [];
  for (const slot of slots) {
    const last = found.at(-1);
    if (last && slot.start_utc < last.end_utc) continue;
    if (last && slot.start_utc > last.end_utc) {
      found.push({ start_utc: last.end_utc, end_utc: slot.start_utc, g_per_kwh: null, low_g_per_kwh: null, high_g_per_kwh: null });
    }
    found.push(slot);
  }
  return found;
}

const seconds = (stamp) => Date.parse(stamp) / 1000;
