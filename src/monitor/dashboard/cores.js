// The panel of cores: a lane each, with how busy it is, how long its turns take, and its rings to the others.

const SPARK_POINTS = 90;
// Rings of a lane that are shown; with more than a few they stand closer and say less.
const RINGS_SHOWN = 15;
const RINGS_WIDE = 4;
// Turns beyond this are longer than they should be.
const TURN_LONG_US = 2000;
// The scale of turns: 1 µs to 100 ms, in powers.
const TURN_POWERS = 5;

class Cores {
  constructor() {
    this.lanes = new Map();
    this.meters = new Meters(1);
    this.list = byId("lanes");
  }

  take(page) {
    const { cores } = page;
    const names = ["in_msgs", "out_msgs", "wakes", "parks", "stalls", "credit_stalls"];
    const values = (core) => Object.fromEntries([...names.map((name) => [name, core[name]]), ["hits", core.match_cache.hits], ["misses", core.match_cache.misses]]);
    this.meters.round(page.server_id, instant(page.now), cores, ({ core }) => core, values);
    const highest = Math.max(1, ...cores.flatMap(({ links }) => links.map((link) => Math.max(link.high_water_bytes, link.in_flight_bytes))));
    const next = new Map();
    for (const core of cores) {
      const lane = this.lanes.get(core.core) ?? new Lane(core.core);
      lane.show(core, highest);
      next.set(core.core, lane);
    }
    this.lanes = next;
    arrange(this.list, [...next.values()].map(({ element }) => element));
    const busy = cores.reduce((sum, { busy_percent: part }) => sum + part, 0) / Math.max(1, cores.length);
    const rings = cores.length > 1 ? `; rings are drawn to ${bytes(highest)}, the most that any had in flight` : "";
    setText(byId("cores-note"), `${cores.length === 1 ? "One core" : `${cores.length} cores`}, ${percent(busy)} busy${rings}`);
  }

  fail(text) {
    setText(byId("cores-note"), `Not shown: ${plain(text)}`);
  }
}

class Lane {
  constructor(number) {
    this.spark = new Spark(SPARK_POINTS);
    this.busy = make("b");
    this.cpu = make("span", { class: "muted" });
    this.turn = make("div", { class: "turn", title: "From p50 to p99, and the longest; 1 µs to 100 ms, each line ten times the one before" }, make("i"), make("i", { class: "max" }));
    this.turnText = make("dl", { class: "turn-text" });
    this.flow = make("dl", { class: "flow" });
    this.rings = make("ul", { class: "rings", "aria-label": `Rings of core ${number}` });
    this.more = make("dl", { class: "lane-more" });
    this.element = make(
      "li",
      { class: "lane" },
      make("div", { class: "lane-name" }, make("h3", {}, `Core ${number}`), this.cpu),
      make("div", { class: "lane-busy" }, this.spark.svg, make("p", {}, this.busy, " busy")),
      make("div", { class: "lane-turn" }, this.turn, this.turnText),
      this.flow,
      this.rings,
      this.more,
    );
  }

  show(core, highest) {
    const { turn_us: turn, rate, match_cache: cache, memory } = core;
    setText(this.cpu, core.cpu_id === null ? "not pinned" : `CPU ${core.cpu_id}`);
    setText(this.busy, percent(core.busy_percent));
    this.spark.push(core.busy_percent / 100);
    setAttr(this.element, "data-mood", core.busy_percent >= 90 ? "warn" : "");
    for (const name of ["p50", "p99", "max"]) {
      setPart(this.turn, `--${name}`, Math.log10(Math.max(1, turn[name])) / TURN_POWERS);
    }
    const long = (name) => (name !== "max" && turn[name] > TURN_LONG_US ? "warn" : "");
    describe(this.turnText, ["p50", "p99", "max"].map((name) => [name, micros(turn[name]), "How long a turn of the loop takes, since the start", long(name)]));
    describe(this.flow, [
      ["in", `${count(rate?.in_msgs)}/s`, `${exact(core.in_msgs)} messages, ${bytes(core.in_bytes)}`],
      ["out", `${count(rate?.out_msgs)}/s`, `${exact(core.out_msgs)} messages, ${bytes(core.out_bytes)}`],
    ]);
    this.showRings(core.links, highest);
    const looks = rate ? rate.hits + rate.misses : 0;
    const hits = looks > 0 ? rate.hits / looks : cache.hits / (cache.hits + cache.misses);
    const parts = [
      ["conns", exact(core.connections)],
      ["subs", exact(core.subscriptions)],
      ["cache hits", percent(hits * 100), `${exact(cache.entries)} entries`],
      ["sleeps", `${count(rate?.parks)}/s`, "How often it had nothing to do"],
      ["wakes", `${count(rate?.wakes)}/s`, "How often it woke another core"],
      ["memory", bytes(memory.read_buffers + memory.outbound_chunks + memory.tables), `buffers ${bytes(memory.read_buffers)}, outbound ${bytes(memory.outbound_chunks)}, tables ${bytes(memory.tables)}`],
      ["stalls", exact(core.stalls), "How often a publisher was held back for a slow reader"],
      ["credit stalls", exact(core.credit_stalls), "How often a ring had no room"],
    ];
    describe(this.more, parts);
  }

  showRings(links, highest) {
    const weight = (link) => link.spill_bytes * 2 + link.in_flight_bytes + link.high_water_bytes / 1e6;
    const busiest = links.length > RINGS_SHOWN ? [...links].sort((a, b) => weight(b) - weight(a)).slice(0, RINGS_SHOWN) : links;
    busiest.sort((a, b) => a.to - b.to);
    const rest = links.length - busiest.length;
    this.rings.classList.toggle("many", links.length > RINGS_WIDE);
    while (this.rings.children.length > busiest.length + (rest ? 1 : 0)) this.rings.lastElementChild.remove();
    while (this.rings.children.length < busiest.length + (rest ? 1 : 0)) this.rings.append(this.makeRing());
    busiest.forEach((link, at) => this.showRing(this.rings.children[at], link, highest));
    if (rest) {
      const last = this.rings.lastElementChild;
      last.className = "rest";
      setText(last, `and ${rest} with less`);
    }
  }

  makeRing() {
    return make("li", { class: "ring" }, make("span", { class: "to" }), make("span", { class: "track" }, make("i", { class: "now" }), make("i", { class: "high" })), make("span", { class: "amount" }));
  }

  showRing(item, link, highest) {
    if (item.children.length !== 3) {
      item.replaceChildren(...this.makeRing().children);
      item.className = "ring";
    }
    const [to, track, amount] = item.children;
    setText(to, `→ ${link.to}`);
    setPart(track, "--now", link.in_flight_bytes / highest);
    setPart(track, "--high", link.high_water_bytes / highest);
    const spill = link.spill_bytes > 0 ? `${bytes(link.spill_bytes)} spilled` : "";
    const wide = [`${bytes(link.in_flight_bytes)} · high ${bytes(link.high_water_bytes)}`, spill].filter(Boolean).join(", ");
    const narrow = spill ? `spill ${bytes(link.spill_bytes)}` : bytes(link.in_flight_bytes);
    setText(amount, this.rings.classList.contains("many") ? narrow : wide);
    setAttr(item, "data-mood", link.spill_bytes > 0 ? "warn" : "");
    setAttr(item, "title", `To core ${link.to}: ${exact(link.in_flight_bytes)} bytes in flight, at most ${exact(link.high_water_bytes)}; ${exact(link.spill_bytes)} bytes wait for room`);
  }
}
