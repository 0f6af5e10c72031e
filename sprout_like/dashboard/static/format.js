// How figures and moments are written: unknown is a dash, never a zero.

export const UNKNOWN = "–";

const GRAMS = [[1e-6, "µg"], [1e-3, "mg"], [1, "g"], [1e3, "kg"], [1e6, "t"]];
const JOULES = [[1e-3, "mJ"], [1, "J"], [1e3, "kJ"], [1e6, "MJ"], [1e9, "GJ"]];

/** Three figures that count, thousands marked. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  if (Math.abs(value) >= 10 ** digits) return value.toLocaleString("en", { maximumFractionDigits: 0 });
  return value.toLocaleString("en", { maximumSignificantDigits: digits });
}

export function count(value) {
  return value === null ? UNKNOWN : value.toLocaleString("en", { maximumFractionDigits: 0 });
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

export function clock(moment) {
  return moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/** A moment as people read it, in the browser's zone: the day is named where it is another than today. */
export function when(moment, { day = moment.toDateString() !== new Date().toDateString() } = {}) {
  const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return day ? `${moment.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" })} ${time}` : time;
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
