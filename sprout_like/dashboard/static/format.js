// How figures and moments are written: unknown is a dash, never a zero.

export const UNKNOWN = "–";

// Made once: making one takes longer than a hundred uses, and a plot writes a hundred figures.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const minute = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const second = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const dayOfMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const GRAMS = [[1e-6, "µg"], [1e-3, "mg"], [1, "g"], [1e3, "kg"], [1e6, "t"]];
const JOULES = [[1e-3, "mJ"], [1, "J"], [1e3, "kJ"], [1e6, "MJ"], [1e9, "GJ"]];

/** Three figures that count, thousands marked. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return (Math.abs(value) >= 1000 ? whole : significant).format(value);
}

export function count(value) {
  return value === null ? UNKNOWN : whole.format(value);
}

/** A share with one decimal. */
export function percent(share) {
  return share === null ? UNKNOWN : `${(Math.round(1000 * share) / 10 || 0).toFixed(1)} %`;
}

/** The figure and its unit, e.g. ["1.2", "mg"]. */
export const grams = (value) => scaled(value, GRAMS, "g");
export const joules = (value) => scaled(value, JOULES, "J");

/** The factor and the name of the unit in which the largest of some figures is easily read. */
export function unit(values, of) {
  const units = of === "g" ? GRAMS : JOULES;
  const largest = Math.max(0, ...values.filter((value) => value !== null).map(Math.abs));
  return units.find(([factor]) => largest < 1000 * factor && largest >= factor) ?? (largest > 0 && largest < units[0][0]
    ? units[0] : largest > 0 ? units.at(-1) : units.find(([factor]) => factor === 1));
}

/** A day of the year, for an axis. */
export function date(moment) {
  return dayOfMonth.format(moment);
}

export function clock(moment) {
  return second.format(moment);
}

/** A moment as people read it, in the browser's zone: the day is named where it is another than today. */
export function when(moment, { day = moment.toDateString() !== new Date().toDateString() } = {}) {
  const time = minute.format(moment);
  return day ? `${weekday.format(moment)} ${time}` : time;
}

export function stretch(start, end) {
  const sameDay = start.toDateString() === end.toDateString();
  return `${when(start)} – ${sameDay ? when(end, { day: false }) : when(end)}`;
}

function scaled(value, units, plain) {
  if (value === null || value === undefined) return [UNKNOWN, ""];
  if (value === 0) return ["0", plain];
  const [factor, name] = units.find(([each]) => Math.abs(value) < 999.5 * each) ?? units.at(-1);
  return [number(value / factor), name];
}
