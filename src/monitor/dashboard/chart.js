// Small graphs over time, drawn as SVG: two lines, a scale, marks, and a cursor for pointer and keyboard.

const CHART_HEIGHT = 132;
const CHART_LEFT = 2;
const CHART_BOTTOM = 16;
const CHART_TOP = 8;
const CHART_WINDOW_MIN_MS = 60000;

// The least of 1, 2 and 5 times a power that is not less.
function niceCeiling(value, step) {
  let unit = 1;
  while (unit * step <= value) unit *= step;
  for (const factor of step === 1000 ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]) {
    if (unit * factor >= value) return unit * factor;
  }
  return unit * step;
}

class Chart {
  // `lines`: [{ name, label }]: what of a point's values is drawn; the first also as an area.
  constructor(host, { title, history, lines, format, step }) {
    Object.assign(this, { title, history, lines, format, step });
    this.cursor = null;
    this.svg = makeSvg("svg", { role: "img", tabindex: "0", height: String(CHART_HEIGHT) });
    this.grid = makeSvg("g", { class: "grid" });
    this.marks = makeSvg("g", { class: "marks" });
    this.area = makeSvg("path", { class: "area" });
    this.paths = lines.map(({ name }) => makeSvg("path", { class: `line ${name}` }));
    this.pointer = makeSvg("line", { class: "cursor", y1: String(CHART_TOP) });
    this.dots = lines.map(({ name }) => makeSvg("circle", { class: `dot ${name}`, r: "3" }));
    this.svg.append(this.grid, this.marks, this.area, ...[...this.paths].reverse(), this.pointer, ...this.dots);
    this.readout = make("p", { class: "readout", "aria-live": "off" });
    host.append(this.svg, this.readout);
    this.width = 0;
    this.listen();
    new ResizeObserver(([entry]) => {
      this.width = Math.round(entry.contentRect.width);
      this.draw();
    }).observe(host);
  }

  listen() {
    const { svg } = this;
    svg.addEventListener("pointermove", (event) => this.point(this.timeAt(event.clientX - svg.getBoundingClientRect().left)));
    svg.addEventListener("pointerleave", () => this.point(null));
    svg.addEventListener("blur", () => this.point(null));
    svg.addEventListener("keydown", (event) => {
      const ways = { ArrowLeft: -1, ArrowRight: 1 };
      const { points } = this.history;
      if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in ways) || !points.length) return;
      event.preventDefault();
      const at = this.cursor === null ? points.length - 1 : this.nearest(this.cursor) + ways[event.key];
      this.point(points[Math.max(0, Math.min(points.length - 1, at))].at);
      setAttr(this.readout, "aria-live", "polite");
    });
  }

  point(at) {
    this.cursor = at;
    if (at === null) setAttr(this.readout, "aria-live", "off");
    this.drawCursor();
  }

  get end() {
    return this.history.points.at(-1)?.at ?? 0;
  }

  // What is drawn: what there is, but at least a minute.
  get window() {
    const { points, window } = this.history;
    return Math.min(window, Math.max(CHART_WINDOW_MIN_MS, this.end - (points[0]?.at ?? 0)));
  }

  x(at) {
    return CHART_LEFT + (1 - (this.end - at) / this.window) * (this.width - 2 * CHART_LEFT);
  }

  y(value) {
    return CHART_TOP + (1 - value / this.top) * (CHART_HEIGHT - CHART_TOP - CHART_BOTTOM);
  }

  timeAt(x) {
    return this.end - (1 - (x - CHART_LEFT) / (this.width - 2 * CHART_LEFT)) * this.window;
  }

  nearest(at) {
    const { points } = this.history;
    let best = 0;
    points.forEach((point, index) => {
      if (Math.abs(point.at - at) < Math.abs(points[best].at - at)) best = index;
    });
    return best;
  }

  draw() {
    if (this.width < 40) return;
    setAttr(this.svg, "width", String(this.width));
    setAttr(this.svg, "viewBox", `0 0 ${this.width} ${CHART_HEIGHT}`);
    const { points } = this.history;
    const highest = Math.max(0, ...points.map(({ values }) => (values ? Math.max(...this.lines.map(({ name }) => values[name])) : 0)));
    this.top = niceCeiling(Math.max(highest * 1.05, this.step === 1000 ? 10 : 1024), this.step);
    this.drawGrid();
    const runs = this.runs();
    this.lines.forEach(({ name }, at) => setAttr(this.paths[at], "d", runs.map((run) => this.path(run, name)).join("")));
    const floor = this.y(0).toFixed(1);
    const area = (run) => `${this.path(run, this.lines[0].name)}V${floor}H${this.x(run[0].at).toFixed(1)}Z`;
    setAttr(this.area, "d", runs.map(area).join(""));
    this.describe(points.at(-1)?.values, highest);
    this.drawCursor();
  }

  // Points with rates, without the gaps between them.
  runs() {
    const runs = [[]];
    for (const point of this.history.points) {
      if (point.values) runs.at(-1).push(point);
      else if (runs.at(-1).length) runs.push([]);
    }
    return runs.filter((run) => run.length);
  }

  path(run, name) {
    const step = ({ at, values }) => `${this.x(at).toFixed(1)},${this.y(values[name]).toFixed(1)}`;
    return `M${run.map(step).join("L")}${run.length === 1 ? "h0.1" : ""}`;
  }

  drawGrid() {
    const parts = [];
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(this.y(this.top * part)) + 0.5;
      parts.push(makeSvg("line", { x1: "0", x2: String(this.width), y1: String(y), y2: String(y) }));
      if (part > 0) parts.push(this.label(CHART_LEFT, y + 11, this.format(this.top * part), "start"));
    }
    const step = this.window > 150000 ? 60000 : 15000;
    for (let back = 0; back <= this.window; back += step) {
      const x = this.x(this.end - back);
      const anchor = back === 0 ? "end" : x < 24 ? "start" : "middle";
      const text = back % 60000 === 0 ? `−${back / 60000} min` : `−${back / 1000} s`;
      parts.push(this.label(x, CHART_HEIGHT - 3, back === 0 ? "now" : text, anchor));
    }
    this.grid.replaceChildren(...parts);
    const marks = this.history.marks.filter(({ at }) => at > this.end - this.window).map(({ at, text }) => {
      const x = this.x(at).toFixed(1);
      const line = makeSvg("line", { x1: x, x2: x, y1: String(CHART_TOP), y2: String(CHART_HEIGHT - CHART_BOTTOM) });
      const near = this.x(at) > this.width - 60;
      return makeSvg("g", {}, line, this.label(this.x(at) + (near ? -4 : 4), CHART_TOP + 24, text, near ? "end" : "start"));
    });
    this.marks.replaceChildren(...marks);
  }

  label(x, y, text, anchor) {
    return makeSvg("text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor }, text);
  }

  drawCursor() {
    const { points } = this.history;
    const point = this.cursor === null || !points.length || !this.top ? null : points[this.nearest(this.cursor)];
    const shown = point?.values ?? null;
    this.svg.classList.toggle("pointing", shown !== null);
    if (!point) return setText(this.readout, "");
    const at = clock(point.at);
    if (!shown) return setText(this.readout, `${at}: no figures`);
    const x = this.x(point.at).toFixed(1);
    for (const [name, value] of [["x1", x], ["x2", x], ["y2", String(CHART_HEIGHT - CHART_BOTTOM)]]) setAttr(this.pointer, name, value);
    this.lines.forEach(({ name }, index) => {
      setAttr(this.dots[index], "cx", x);
      setAttr(this.dots[index], "cy", this.y(shown[name]).toFixed(1));
    });
    return setText(this.readout, `${at}: ${this.lines.map(({ name, label }) => `${label} ${this.format(shown[name])}/s`).join(", ")}`);
  }

  describe(now, highest) {
    const last = now ? this.lines.map(({ name, label }) => `${label} ${this.format(now[name])} a second`).join(", ") : "no figures yet";
    setAttr(this.svg, "aria-label", `${this.title} over the last ${this.history.window / 60000} minutes: ${last}; most ${this.format(highest)}.`);
  }
}

// A line without a scale, 0 to 1, of the last so many values.
class Spark {
  constructor(length) {
    this.length = length;
    this.values = [];
    this.area = makeSvg("path", { class: "area" });
    this.line = makeSvg("path", { class: "line", "vector-effect": "non-scaling-stroke" });
    this.svg = makeSvg("svg", { class: "spark", viewBox: `0 0 ${length - 1} 100`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.area, this.line);
  }

  push(value) {
    this.values.push(value);
    if (this.values.length > this.length) this.values.shift();
    const begin = this.length - this.values.length;
    const d = `M${this.values.map((part, at) => `${begin + at},${(98 - Math.max(0, Math.min(1, part)) * 96).toFixed(1)}`).join("L")}`;
    setAttr(this.line, "d", d);
    setAttr(this.area, "d", `${d}V100H${begin}Z`);
  }
}
