// Numbers, durations and times as people read them. The full value goes into a title.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A count: 12,400. */
export function count(value) {
  return WHOLE.format(value);
}

/** A number of things: 1 task, 12 tasks. */
export function counted(number, what) {
  return `${count(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** Three significant digits, and none lost of whole numbers: 0.0123, 4.57, 12,400. */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return WHOLE.format(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2);
  return size >= 1000 ? WHOLE.format(value) : SMALL.format(value);
}

/** A time that something takes, as `tg` says it: 2.57 ms, 3.2 s, 1 min 30 s, 14 min, 2 h 05. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds > 0 && seconds < 0.9995) return `${SMALL.format(seconds * 1000)} ms`;
  const whole = Math.round(seconds);
  if (seconds < 9.95 && seconds !== whole) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  if (minutes < 100) return `${minutes} min`;
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)}`;
  return `${Math.round(seconds / 86400)} days`;
}

function padded(number) {
  return String(number).padStart(2, "0");
}

/** Bytes: 12.3 MB. */
export function size(bytes) {
  let power = 0;
  while (bytes >= 999.5 && power < UNITS.length - 1) {
    bytes /= 1000;
    power += 1;
  }
  return `${SMALL.format(bytes)} ${UNITS[power]}`;
}

/** A time of day, with the date if that is not today. */
export function moment(seconds, now = Date.now()) {
  const when = new Date(seconds * 1000);
  const today = when.toDateString() === new Date(now).toDateString();
  const time = when.toLocaleTimeString("en-GB");
  return today ? time : `${when.toLocaleDateString("sv-SE")} ${time}`;
}

/** The same with its zone, for a title. */
export function fullMoment(seconds) {
  return new Date(seconds * 1000).toString();
}
