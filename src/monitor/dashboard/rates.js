// Counters to rates, and what rates have been.
//
// A counter that falls, or another server behind it, is a new beginning: there is no rate until it has been seen twice.

// One set of counters. The rate is over `window` milliseconds, or over what has been seen of it.
class Meter {
  constructor(window) {
    this.window = window;
    this.seen = [];
    this.epoch = null;
  }

  // `at`: the server's time in milliseconds. Rates a second by name, or null.
  next(epoch, at, values) {
    const last = this.seen.at(-1);
    if (last && (this.epoch !== epoch || at < last.at || Object.keys(values).some((name) => values[name] < last.values[name]))) {
      this.seen = [];
    }
    this.epoch = epoch;
    if (this.seen.at(-1)?.at === at) return this.rates();
    this.seen.push({ at, values });
    while (this.seen.length > 2 && at - this.seen[1].at >= this.window) this.seen.shift();
    return this.rates();
  }

  rates() {
    if (this.seen.length < 2) return null;
    const [first, last] = [this.seen[0], this.seen.at(-1)];
    const seconds = (last.at - first.at) / 1000;
    return Object.fromEntries(Object.keys(last.values).map((name) => [name, (last.values[name] - first.values[name]) / seconds]));
  }
}

// Meters by key; those that a round does not ask for are forgotten.
class Meters {
  constructor(window) {
    this.window = window;
    this.known = new Map();
  }

  round(epoch, at, rows, keyOf, valuesOf) {
    const next = new Map();
    for (const row of rows) {
      const key = keyOf(row);
      const meter = this.known.get(key) ?? new Meter(this.window);
      row.rate = meter.next(epoch, at, valuesOf(row));
      next.set(key, meter);
    }
    this.known = next;
  }
}

// Points over the last `window` milliseconds, and marks between them.
class History {
  constructor(window) {
    this.window = window;
    this.points = [];
    this.marks = [];
  }

  // `values` is null where there is no rate: a gap.
  push(at, values) {
    if (this.points.length && at < this.points.at(-1).at) this.clear();
    this.points.push({ at, values });
    const begin = at - this.window;
    while (this.points.length > 2 && this.points[1].at < begin) this.points.shift();
    while (this.marks.length && this.marks[0].at < begin) this.marks.shift();
  }

  mark(at, text) {
    this.marks.push({ at, text });
  }

  clear() {
    this.points = [];
    this.marks = [];
  }
}
