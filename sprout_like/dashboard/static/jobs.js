// Jobs that are open or ended last, and the workers that run them.

import { el, show, table } from "./dom.js";
import { count, joules, percent, stretch, when } from "./format.js";

const section = document.getElementById("jobs");
const list = el("div", { class: "scroll", tabindex: "0" });
const JOB = [{ name: "job" }, { name: "state" }, { name: "progress" }, { name: "deadline" }, { name: "next run" }, { name: "energy", number: true },
  { name: "saved, planned", number: true }, { name: "saved, modelled", number: true }];
const WORKER = [{ name: "worker" }, { name: "state" }, { name: "zone" }, { name: "model" }, { name: "engine" }];

export function showJobs({ jobs, more_n, workers }) {
  list.replaceChildren(table(JOB, jobs.map(jobRow), { stack: true }));
  show(section,
    jobs.length ? list
      : el("p", { class: "empty" }, "No jobs. `sprout-like jobs submit` lets work wait for clean hours."),
    more_n ? el("p", { class: "quiet" }, `${count(more_n)} more are open.`) : null,
    jobs.length || workers.length ? el("h3", {}, "Workers alive") : null,
    workers.length ? table(WORKER, workers.map(workerRow), { stack: true })
      : jobs.length ? el("p", { class: "quiet" }, "None.") : null);
}

function jobRow(job) {
  const name = el("span", {}, el("code", {}, job.job_id.slice(0, 12)), job.task ? ` ${job.task}` : "", el("br"), el("span", { class: "quiet" }, job.model));
  const done = `${count(job.done_n)} of ${count(job.items_n)}${job.failed_n ? `, ${count(job.failed_n)} failed` : ""}`;
  const bar = el("span", {}, el("progress", { max: Math.max(job.items_n, 1), value: job.done_n + job.failed_n, "aria-label": done }), ` ${done}`);
  const next = job.planned[0];
  return [name, job.state, bar, when(new Date(job.deadline_utc)),
    next ? `${stretch(new Date(next.start_utc), new Date(next.end_utc))}, ${next.zone}` : "–",
    joules(job.energy_j).join(" "), percent(job.planned_saving), percent(job.saving)];
}

const workerRow = (worker) => [el("span", {}, el("code", {}, worker.worker_id.slice(0, 12)), ` ${worker.host}`),
  worker.state, worker.zone, worker.model, worker.engine];
