// Numbers, times and names as people read them. Nothing here touches the page.

const UNITS = ["", "k", "M", "G", "T", "P"];
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const NOTHING = "–";
// What would hide, turn round or break a line: control characters, marks without width, marks of direction.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

// Three digits that count.
function digits(value) {
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function scaled(value, step, units, gap) {
  let at = 0;
  while (value >= step * 0.9995 && at < units.length - 1) {
    value /= step;
    at += 1;
  }
  if (at === 0) return digits(Math.round(value * 10) / 10) + (units[0] ? gap + units[0] : "");
  return digits(Math.round(value * 100) / 100) + gap + units[at];
}

function count(value) {
  return Number.isFinite(value) ? scaled(value, 1000, UNITS, "\u202f") : NOTHING;
}

function bytes(value) {
  return Number.isFinite(value) ? scaled(value, 1024, BYTE_UNITS, "\u202f") : NOTHING;
}

// A whole number with all its digits.
function exact(value) {
  return Number.isFinite(value) ? Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f") : NOTHING;
}

function percent(value) {
  return Number.isFinite(value) ? `${value < 10 ? value.toFixed(1) : Math.round(value)}\u202f%` : NOTHING;
}

function micros(value) {
  if (!Number.isFinite(value)) return NOTHING;
  if (value < 1000) return `${digits(Math.round(value * 10) / 10)}\u202fµs`;
  if (value < 1e6) return `${digits(Math.round(value / 10) / 100)}\u202fms`;
  return `${digits(Math.round(value / 1e4) / 100)}\u202fs`;
}

// Milliseconds, roughly.
function span(ms) {
  if (!Number.isFinite(ms)) return NOTHING;
  if (ms < 1000) return `${Math.round(Math.max(0, ms))}\u202fms`;
  const s = ms / 1000;
  if (s < 60) return `${Math.floor(s)}\u202fs`;
  if (s < 3600) return `${Math.floor(s / 60)}\u202fmin`;
  if (s < 86400) return `${Math.floor(s / 3600)}\u202fh ${Math.floor((s % 3600) / 60)}\u202fmin`;
  return `${Math.floor(s / 86400)}\u202fd ${Math.floor((s % 86400) / 3600)}\u202fh`;
}

// Milliseconds since the epoch of a time with any number of digits behind the second.
function instant(text) {
  return Date.parse(String(text).replace(/(\.\d{3})\d+/, "$1"));
}

function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

// Milliseconds of a duration such as 1h2m3.5s or 120µs.
function duration(text) {
  const sizes = { y: 31536e6, d: 864e5, h: 36e5, m: 6e4, s: 1e3, ms: 1, "µs": 1e-3, us: 1e-3, ns: 1e-6 };
  let sum = 0;
  for (const [, number, unit] of String(text).matchAll(/([\d.]+)(ms|µs|us|ns|y|d|h|m|s)/g)) sum += number * sizes[unit];
  return sum;
}

// Text that others chose: what cannot be seen is shown as a mark.
function plain(text) {
  return String(text ?? "").replace(UNSEEN, "\ufffd");
}

function address(ip, port) {
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}
