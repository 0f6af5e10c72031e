// Plots by uPlot, with what it leaves to others: colours that follow the page, a keyboard, figures in words, a table.

import uPlot from "./vendor/uplot/uPlot.esm.js";
import { el, svg, table } from "./dom.js";
import { date, number, stretch, UNKNOWN, when } from "./format.js";

const HEIGHT = 220;
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 4], [12, 4], [1, 4]];
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Colour and dash of the nth line: apart for eyes that see no colours too. */
export function style(n) {
  return { colour: `--c${n % 7}`, dash: DASHES[n % 7] };
}

/** A legend's entry with a sample of the line. */
export function legend(entries) {
  return el("ul", { class: "legend" }, ...entries.map(({ label, colour, dash }) => {
    const line = svg("line", { x1: 1, x2: 27, y1: 6, y2: 6, "stroke-width": 3, "stroke-dasharray": dash.join(" ") || null });
    line.style.stroke = `var(${colour})`;
    return el("li", {}, svg("svg", { width: 28, height: 12, "aria-hidden": "true" }, line), el("span", {}, label));
  }));
}

/**
 * A plot over time that stays in the page and takes new data.
 *
 * Data are {times_s, step_s, lines: [{label, unit, values, colour, dash, axis}], stacked, band, marks, title}: values are
 * for the time from a start to the next one; null is a gap.
 */
export class Plot {
  constructor(title) {
    this.chart = el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": title });
    this.readout = el("p", { class: "readout" });
    this.live = el("p", { class: "hidden", "aria-live": "polite" });
    this.details = el("details", {}, el("summary", {}, "Table"), el("div", { class: "scroll", tabindex: "0" }));
    this.details.addEventListener("toggle", () => this.tabulate());
    this.chart.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.resize()).observe(this.chart);
    dark.addEventListener("change", () => this.draw());
  }

  get elements() {
    return [this.chart, this.readout, this.live, this.details];
  }

  update(data) {
    this.data = data;
    this.draw();
    this.tabulate();
  }

  draw() {
    if (!this.data || !this.chart.clientWidth) return;
    const shape = JSON.stringify([this.data.lines.map((line) => [line.label, line.unit]), dark.matches]);
    if (this.plot && shape === this.shape) {
      this.plot.setData(drawn(this.data));
    } else {
      this.plot?.destroy();
      this.shape = shape;
      this.plot = new uPlot(this.options(), drawn(this.data), this.chart);
    }
    this.tell(null);
  }

  resize() {
    if (!this.plot) this.draw();
    else if (this.chart.clientWidth) this.plot.setSize({ width: this.chart.clientWidth, height: HEIGHT });
  }

  options() {
    const page = getComputedStyle(document.documentElement);
    const of = (name) => page.getPropertyValue(name).trim();
    const { lines, stacked, band } = this.data;
    const stepped = uPlot.paths.stepped({ align: 1 });
    const grid = { stroke: of("--line"), width: 1 };
    const axes = [{ stroke: of("--quiet"), grid, ticks: grid, values: (_, at) => ticks(at), space: 64 }];
    for (const [n, axis] of [...new Set(lines.map((line) => line.axis))].entries()) {
      const label = lines.find((line) => line.axis === axis).unit;
      axes.push({ scale: axis, side: n ? 1 : 3, stroke: of("--quiet"), grid: n ? { show: false } : grid, ticks: grid, label,
        labelSize: 20, size: 52, values: (_, at) => at.map((value) => number(value)) });
    }
    const series = lines.map((line) => ({ label: line.label, scale: line.axis, stroke: of(line.colour), width: 2,
      dash: line.dash, paths: stepped, points: { show: false }, fill: stacked ? `${of(line.colour)}${dark.matches ? "66" : "55"}` : undefined }));
    // Sums are drawn from the top down; between two of them lies what one directive adds.
    const bands = stacked ? lines.slice(1).map((_, n) => ({ series: [n + 1, n + 2] })) : [];
    if (band) {
      const edge = { scale: lines[0].axis, stroke: "transparent", paths: stepped, points: { show: false } };
      series.push({ ...edge, label: "high" }, { ...edge, label: "low" });
      bands.push({ series: [series.length - 1, series.length], fill: `${of(lines[0].colour)}2e` });
    }
    const scales = Object.fromEntries(lines.map((line) => [line.axis, { range: (_, low, high) => [0, (high || 1) * 1.08] }]));
    return {
      width: this.chart.clientWidth, height: HEIGHT, legend: { show: false }, bands, axes, series: [{}, ...series],
      scales: { x: { time: true }, ...scales }, cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      padding: [8, axes.length > 2 ? 0 : 24, 0, 0],
      hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx)], draw: [(plot) => this.mark(plot, of)] },
    };
  }

  mark(plot, of) {
    const { ctx, bbox } = plot;
    const x = (moment_s) => Math.min(Math.max(plot.valToPos(moment_s, "x", true), bbox.left), bbox.left + bbox.width);
    ctx.save();
    for (const { from_s, to_s, planned } of this.data.marks?.stretches ?? []) {
      const [left, right, height] = [x(from_s), x(to_s), 9 * devicePixelRatio];
      if (right <= left) continue;
      ctx.fillStyle = ctx.strokeStyle = of("--accent");
      ctx.lineWidth = 2 * devicePixelRatio;
      const box = [left, bbox.top + bbox.height - height, Math.max(right - left, 2), height];
      if (planned) ctx.strokeRect(...box);
      else ctx.fillRect(...box);
    }
    if (this.data.marks?.now_s) {
      ctx.strokeStyle = of("--text");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x(this.data.marks.now_s), bbox.top);
      ctx.lineTo(x(this.data.marks.now_s), bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  step(event) {
    const last = this.data ? this.data.times_s.length - 1 : -1;
    const at = this.plot?.cursor.idx ?? last + 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    const idx = Math.min(Math.max(to, 0), last);
    this.plot.setCursor({ left: this.plot.valToPos(this.data.times_s[idx], "x") + 1, top: 0 });
    this.tell(idx);
    this.live.textContent = this.readout.textContent;
  }

  tell(idx) {
    this.readout.textContent = idx === null || idx === undefined || idx >= this.data.times_s.length
      ? this.data.hint ?? "" : `${this.moment(idx)}: ${this.data.lines.map((line) => said(line, idx)).join(", ")}`;
  }

  moment(idx) {
    const [from_s, to_s] = [this.data.times_s[idx], this.data.times_s[idx + 1] ?? this.data.times_s[idx] + this.data.step_s];
    return stretch(new Date(1000 * from_s), new Date(1000 * to_s));
  }

  tabulate() {
    if (!this.details.open || !this.data) return;
    const { times_s, lines, band } = this.data;
    const columns = [{ name: "time" }, ...lines.map((line) => ({ name: `${line.label}, ${line.unit}`, number: true }))];
    if (band) columns.push({ name: "80 % interval", number: true });
    const rows = times_s.map((_, n) => [this.moment(n), ...lines.map((line) => number(line.values[n])),
      ...(band ? [band.low[n] === null ? UNKNOWN : `${number(band.low[n])} – ${number(band.high[n])}`] : [])]);
    this.details.lastChild.replaceChildren(table(columns, rows));
  }
}

const said = (line, idx) => `${line.label} ${number(line.values[idx])} ${line.unit}`;

/** Columns as uPlot draws them: sums where they are stacked, and the end of the last step. */
function drawn({ times_s, step_s, lines, stacked, band }) {
  const values = lines.map((line) => line.values);
  const columns = stacked
    ? values.map((_, n) => times_s.map((_, at) => values.slice(n).reduce((sum, column) => sum + (column[at] ?? 0), 0)))
    : [...values];
  if (band) columns.push(band.high, band.low);
  const ended = (column) => (column.length ? [...column, column.at(-1)] : column);
  return [times_s.length ? [...times_s, times_s.at(-1) + step_s] : [], ...columns.map(ended)];
}

/** The day is named where it begins. */
function ticks(at) {
  return at.map((moment_s, n) => {
    const moment = new Date(1000 * moment_s);
    const midnight = moment.getHours() === 0 && moment.getMinutes() === 0;
    const far = at.length > 1 && at[1] - at[0] >= 86400;
    return far || midnight ? date(moment) : when(moment, { day: false });
  });
}
