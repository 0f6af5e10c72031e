// Asks for each part in turn, hands on what changed, and says when there is nothing to hand on.

import { ask, forget, Unanswered } from "./api.js";
import { el, show } from "./dom.js";
import { clock } from "./format.js";
import { showGrid, showWindows } from "./grid.js";
import { showHeadline, unknownHeadline } from "./headline.js";
import { showHealth } from "./health.js";
import { showJobs } from "./jobs.js";
import { showSaving } from "./saving.js";
import { showTraffic } from "./traffic.js";

const state = document.getElementById("state");
const notice = document.getElementById("notice");
const parts = [
  { path: () => "/api/traffic?span=" + span, every: 1, sections: ["mix", "cost"], headline: "traffic", render: showTraffic },
  { path: () => "/api/now", every: 1, sections: ["grid"], headline: "now", render: showGrid },
  { path: () => "/api/jobs", every: 1, sections: ["jobs"], render: (data) => { showJobs(data); showWindows(data.jobs); } },
  { path: () => "/api/saving?span=" + span, every: 3, sections: ["saving"], headline: "saving", render: showSaving },
  { path: () => "/api/health", every: 3, sections: ["health"], render: showHealth },
];
const PENDING_MS = 500;
const SPANS = ["hour", "day", "week", "month"];
let span = SPANS.find((name) => name === new URLSearchParams(location.search).get("span")) ?? "day";
let pollMs = 5000;
let round = 0;
let timer = null;
let running = false;
let again = false;

/** Asks for what is due, all at once; once more at the end where somebody asked meanwhile. */
async function poll() {
  clearTimeout(timer);
  if (running) {
    again = true;
    return;
  }
  running = true;
  const faults = (await Promise.all(parts.filter((part) => part.pending || round % part.every === 0).map(refresh))).filter(Boolean);
  round = faults.length ? 0 : round + 1;
  tell(faults);
  running = false;
  if (again) {
    again = false;
    poll();
  } else if (!document.hidden) {
    timer = setTimeout(poll, parts.some((part) => part.pending) ? Math.min(pollMs, PENDING_MS) : pollMs);
  }
}

async function refresh(part) {
  const path = part.path();
  try {
    const data = await ask(path);
    if (data === null || path !== part.path()) return null;
    if (data.pending) {
      for (const id of part.sections) show(document.getElementById(id), el("p", { class: "empty" }, "adding up …"));
      if (part.headline) unknownHeadline(part.headline);
      part.pending = true;
    } else {
      part.pending = false;
      part.render(data);
      if (part.headline) showHeadline(part.headline, data);
    }
    return null;
  } catch (fault) {
    if (!(fault instanceof Unanswered)) throw fault;
    if (fault.kind === "ledger" || fault.kind === "empty") {
      const words = fault.kind === "empty" ? "Nothing yet." : "Unknown while the ledger cannot be read.";
      for (const id of part.sections) show(document.getElementById(id), el("p", { class: "empty" }, words));
      if (part.headline) unknownHeadline(part.headline);
    }
    return fault;
  }
}

function tell(faults) {
  const fault = ["gone", "locked", "ledger", "empty"].map((kind) => faults.find((each) => each.kind === kind)).find(Boolean);
  notice.hidden = !fault;
  notice.dataset.kind = fault?.kind ?? "";
  if (notice.textContent !== (fault?.message ?? "")) notice.textContent = fault?.message ?? "";
  const [kind, words] = fault && fault.kind !== "empty" ? [fault.kind, { gone: "server gone", locked: "locked", ledger: "ledger unreadable" }[fault.kind]]
    : document.hidden ? ["paused", "paused"] : ["live", `live, ${clock(new Date())}`];
  state.dataset.state = kind;
  state.textContent = words;
  // After an outage everything is drawn anew, though the server says that it is as it was.
  if (fault) forget();
}

function start() {
  state.dataset.state = "starting";
  state.textContent = "asking …";
  for (const part of parts) {
    for (const id of part.sections) show(document.getElementById(id), el("p", { class: "empty" }, "asking …"));
    if (part.headline) unknownHeadline(part.headline);
  }
  document.getElementById("zone").textContent = `Times are those of ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      clearTimeout(timer);
      tell([]);
    } else {
      round = 0;
      poll();
    }
  });
  choices();
  introduce();
  poll();
}

/** Whose page it is; where the server is gone at once, the parts say so. */
async function introduce() {
  const page = await ask("/api/page").catch(() => null);
  if (page === null) return;
  pollMs = 1000 * page.poll_s;
  document.getElementById("ledger").textContent = page.ledger;
  document.getElementById("ledger").title = page.ledger;
  document.getElementById("version").textContent = `sprout-like ${page.version}`;
}

function choices() {
  const options = SPANS.map((name) => {
    const input = el("input", { type: "radio", name: "span", value: name });
    input.checked = name === span;
    input.addEventListener("change", () => {
      span = name;
      history.replaceState(null, "", `/?span=${name}`);
      round = 0;
      forget();
      poll();
    });
    return el("label", {}, input, name);
  });
  document.getElementById("spans").append(...options);
}

start();
