// The panel of traffic: what goes in and out, and how the server is.

const HISTORY_MS = 5 * 60000;
// Over so long the figures are a mean; the graphs have each step.
const STEP_MS = 1;
// Where nothing was heard for so long, the line is broken.
const GAP_MS = 6000;

class Traffic {
  constructor(app) {
    this.app = app;
    this.meter = new Meter(STEP_MS);
    this.msgs = new History(HISTORY_MS);
    this.bytes = new History(HISTORY_MS);
    const lines = [{ name: "in", label: "in" }, { name: "out", label: "out" }];
    this.charts = [
      new Chart(byId("msgs-chart"), { title: "Messages", history: this.msgs, lines, format: count, step: 1000 }),
      new Chart(byId("bytes-chart"), { title: "Bytes", history: this.bytes, lines, format: bytes, step: 1024 }),
    ];
    this.figures = ["in-msgs", "out-msgs", "in-bytes", "out-bytes"].map(byId);
    this.last = null;
    this.restarts = [];
  }

  // Another account: other counters.
  reset() {
    this.meter = new Meter(STEP_MS);
    this.msgs.clear();
    this.bytes.clear();
    this.show(null);
  }

  // Whatever server answers now is not the one from before. It may have been there already, but not for us.
  restarted(start) {
    const at = Math.max(start, this.msgs.points.at(-1)?.at ?? 0);
    this.msgs.mark(at, "restart");
    this.bytes.mark(at, "restart");
  }

  takeServer(varz) {
    if (this.app.account === "") this.push(varz, varz);
    this.varz = varz;
    this.showVitals();
  }

  takeAccounts(page) {
    const found = page.account_statz.find(({ acc }) => acc === this.app.account);
    this.stat = found ?? null;
    if (this.app.account === "" || !found) return;
    const { sent, received } = found;
    this.push(page, { in_msgs: received.msgs, in_bytes: received.bytes, out_msgs: sent.msgs, out_bytes: sent.bytes });
    this.showVitals();
  }

  push({ server_id: epoch, now }, { in_msgs, in_bytes, out_msgs, out_bytes }) {
    const at = instant(now);
    const before = this.msgs.points.at(-1)?.at;
    const rate = this.meter.next(epoch, at, { in_msgs, in_bytes, out_msgs, out_bytes });
    if (before && at - before > GAP_MS) {
      this.msgs.push(at - 1, null);
      this.bytes.push(at - 1, null);
    }
    this.msgs.push(at, rate && { in: rate.in_msgs, out: rate.out_msgs });
    this.bytes.push(at, rate && { in: rate.in_bytes, out: rate.out_bytes });
    this.show(rate);
  }

  show(rate) {
    const texts = rate ? [count(rate.in_msgs), count(rate.out_msgs), bytes(rate.in_bytes), bytes(rate.out_bytes)] : Array(4).fill(NOTHING);
    this.figures.forEach((figure, at) => setText(figure, texts[at]));
    for (const chart of this.charts) chart.draw();
  }

  showVitals() {
    const { varz, stat } = this;
    const { account } = this.app;
    if (!varz) return;
    const of = account === "" ? null : stat;
    const slow = of ? of.slow_consumers : varz.slow_consumers;
    const connections = account === "" ? varz.connections : of?.conns;
    const subscriptions = account === "" ? varz.subscriptions : of?.num_subscriptions;
    describe(byId("vitals"), [
      ["Connections", exact(connections), account === "" ? `${exact(varz.total_connections)} since the start` : ""],
      ["Subscriptions", exact(subscriptions)],
      ["Slow consumers", exact(slow), "Closed for being too slow since the start", slow > 0 ? "warn" : ""],
      ["Stalls", exact(varz.stalled_clients), "How often a publisher was held back for a slow reader"],
      ["CPU", percent(varz.cpu), "Of one CPU; 200 % are two"],
      ["Memory", bytes(varz.mem), `${exact(varz.mem)} bytes`],
      ["Up for", span(instant(varz.now) - instant(varz.start)), `since ${new Date(instant(varz.start)).toLocaleString()}`],
    ]);
    setText(byId("traffic-note"), account === "" ? "" : "CPU, memory and stalls are those of the whole server");
  }
}
