// Asking the server for its pages, in turns.
//
// A turn asks for what is due. Where the server does not answer, the turns become rarer, and the first page is asked for alone until
// it comes. A page that takes long is asked for less often. Nothing is asked for while nobody looks.

const PATIENCE_MS = 8000;
const BACK_OFF_MAX_MS = 8000;

// The server is there, but does not give this page.
class Refused extends Error {
  constructor(status, text) {
    super(text.trim().slice(0, 200) || `HTTP ${status}`);
    this.status = status;
  }
}

class Feed {
  // `report({ state, retryAt })` hears of every change: live, lost, denied, paused.
  constructor(report) {
    this.report = report;
    this.sources = [];
    this.every = 1000;
    this.failures = 0;
    this.paused = false;
    this.denied = false;
    this.running = false;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => this.soon());
    window.addEventListener("online", () => this.soon());
  }

  // { path(): where, times: of `every`, wanted(): whether anybody looks, take(page), fail(text) }. The first one is asked for always.
  add(source) {
    const full = { times: 1, wanted: () => true, fail: () => {}, due: 0, ...source };
    this.sources.push(full);
    return full;
  }

  // What is asked has changed: at once, please.
  refresh(...sources) {
    for (const source of sources) source.due = 0;
    this.soon();
  }

  setPaused(paused) {
    this.paused = paused;
    if (paused) this.report({ state: "paused" });
    this.soon();
  }

  retry() {
    this.denied = false;
    this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    if (document.hidden || this.paused || this.denied) return;
    if (this.running) this.again = true;
    else this.timer = setTimeout(() => this.turn(), 0);
  }

  async turn() {
    this.running = true;
    this.again = false;
    const begin = performance.now();
    const due = this.sources.filter((source) => source === this.sources[0] || (!this.failures && source.due <= begin && source.wanted()));
    const ends = await Promise.all(due.map((source) => this.ask(source)));
    this.running = false;
    if (this.paused) return;
    this.denied = ends.includes("denied");
    if (this.denied) {
      this.report({ state: "denied" });
      return;
    }
    const before = this.failures;
    this.failures = ends.includes("lost") ? before + 1 : 0;
    let wait = Math.max(50, this.every - (performance.now() - begin));
    if (this.again || (before && !this.failures)) wait = 0;
    else if (this.failures) wait = Math.min(BACK_OFF_MAX_MS, 500 * 2 ** Math.min(this.failures, 10)) * (0.8 + 0.4 * Math.random());
    this.report({ state: this.failures ? "lost" : "live", retryAt: Date.now() + wait });
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.turn(), wait);
  }

  // "fine", "lost" or "denied".
  async ask(source) {
    const path = source.path();
    const begin = performance.now();
    let page;
    try {
      page = await this.fetchPage(path);
    } catch (error) {
      source.due = performance.now() + source.times * this.every;
      if (!(error instanceof Refused)) return "lost";
      if (error.status === 401 || error.status === 403) return "denied";
      if (source === this.sources[0]) return "lost";
      source.fail(error.message);
      return "fine";
    }
    const end = performance.now();
    // A little early, so that a turn that comes a moment too soon does not leave it for the next.
    source.due = begin + Math.max(source.times * this.every - 100, (end - begin) * 6);
    // Meanwhile something else may be asked for.
    if (path !== source.path() || this.paused) return "fine";
    try {
      source.take(page);
    } catch (error) {
      // A page in a shape that is not known must not end the others.
      console.error(path, error);
      source.fail("what came could not be read");
    }
    return "fine";
  }

  async fetchPage(path) {
    const url = new URL(path, location.href);
    // An address with a login in it cannot be fetched; the browser sends the login by itself.
    url.username = "";
    url.password = "";
    // The server then says that a login is missing in a way that the browser leaves to us.
    const headers = { "X-Requested-With": "XMLHttpRequest" };
    const response = await fetch(url, { headers, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) throw new Refused(response.status, await response.text());
    return response.json();
  }
}
