// The page as a whole: what is asked for when, which account is looked at, and how the server is.

// How many turns apart.
const EVERY = { server: 1, cores: 1, account: 1, tables: 2, accounts: 10 };
const STATES = { connecting: "Connecting", live: "Live", lost: "No answer", denied: "Login needed", paused: "Paused" };

class App {
  constructor() {
    this.account = "";
    this.accounts = [];
    this.start = null;
    this.state = "connecting";
    this.lastHeard = null;
    this.theme = new Theme();
    this.feed = new Feed((report) => this.heard(report));
    this.traffic = new Traffic(this);
    this.cores = new Cores();
    this.subjects = new Subjects(this);
    this.slow = new Slow(this);
    this.queues = new Queues(this);
    this.connections = new Connections(this);
    this.detail = new Detail(this);
    this.keys = new Keys(this);
    this.seen = new Set(SECTIONS);
    this.addSources();
    this.listen();
    this.feed.soon();
  }

  addSources() {
    const { feed } = this;
    const panel = (id, path, part, times = EVERY.tables) => {
      const source = { path, times, wanted: () => this.seen.has(id), take: (page) => part.take(page), fail: (text) => part.fail(text) };
      part.source = feed.add(source);
    };
    feed.add({ path: () => "varz", times: EVERY.server, take: (varz) => this.takeServer(varz) });
    panel("cores", () => "corez", this.cores, EVERY.cores);
    this.accountSource = feed.add({
      path: () => "accstatz?unused=1",
      times: EVERY.account,
      wanted: () => this.account !== "",
      take: (page) => this.traffic.takeAccounts(page),
      fail: (text) => setText(byId("traffic-note"), `Not shown: ${plain(text)}`),
    });
    feed.add({ path: () => "accountz", times: EVERY.accounts, take: (page) => this.takeAccounts(page) });
    panel("subjects", () => this.subjects.path(), this.subjects);
    panel("slow", () => "slowz", this.slow);
    panel("queues", () => "queuez", this.queues);
    panel("connections", () => this.connections.path(), this.connections);
    panel("detail", () => this.detail.path(), this.detail);
    this.detail.source.wanted = () => this.detail.cid !== null;
    // What is far from the screen is not asked for, once it has been shown.
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.setSeen(target.id, isIntersecting);
    }, { rootMargin: "300px" });
    for (const id of SECTIONS) observer.observe(byId(id));
  }

  setSeen(id, isSeen) {
    if (!isSeen) this.seen.delete(id);
    else if (!this.seen.has(id)) {
      this.seen.add(id);
      this.feed.soon();
    }
  }

  listen() {
    byId("account").addEventListener("change", (event) => this.setAccount(event.target.value));
    const every = byId("every");
    const setEvery = (value) => {
      this.feed.every = Number(value) || 1000;
      this.feed.soon();
    };
    const kept = recall("every");
    if ([...every.options].some(({ value }) => value === kept)) {
      every.value = kept;
      setEvery(kept);
    }
    every.addEventListener("change", () => {
      remember("every", every.value);
      setEvery(every.value);
    });
    const pause = byId("pause");
    pause.addEventListener("click", () => {
      this.feed.setPaused(!this.feed.paused);
      setAttr(pause, "aria-pressed", String(this.feed.paused));
      setText(pause, this.feed.paused ? "Go on" : "Pause");
    });
    byId("notice-act").addEventListener("click", () => {
      if (this.state === "denied") location.reload();
      else this.feed.retry();
    });
    const depth = Number(recall("depth"));
    if (depth) this.subjects.setDepth(depth);
    setInterval(() => this.showWait(), 500);
  }

  severalAccounts() {
    return this.account === "" && this.accounts.filter((name) => name !== this.system).length > 1;
  }

  setAccount(account) {
    this.account = account;
    this.traffic.reset();
    this.connections.total = 0;
    this.feed.refresh(this.accountSource, this.subjects.source, this.slow.source, this.queues.source, this.connections.source);
  }

  takeServer(varz) {
    const started = this.start !== null && varz.start !== this.start;
    if (started) {
      this.traffic.restarted(instant(varz.start));
      this.restarted = clock(instant(varz.start));
    }
    this.start = varz.start;
    this.lastHeard = Date.now();
    const name = plain(varz.server_name);
    // Without a name of its own a server goes by its key, of which the beginning is enough.
    const short = varz.server_name === varz.server_id ? `${name.slice(0, 8)}…` : name;
    showName(byId("server"), `${short} · ${plain(varz.host)}:${varz.port}`);
    setAttr(byId("server"), "title", `${name}, like nats-server ${plain(varz.version)}`);
    const title = `${short} – Dunlin`;
    if (document.title !== title) document.title = title;
    this.traffic.takeServer(varz);
  }

  takeAccounts(page) {
    const names = page.accounts ?? [];
    this.system = page.system_account;
    if (names.join("\n") === this.accounts.join("\n")) return;
    this.accounts = names;
    const select = byId("account");
    const options = names.map((name) => make("option", { value: name }, plain(name)));
    select.replaceChildren(make("option", { value: "" }, "All"), ...options);
    if (this.account !== "" && !names.includes(this.account)) this.setAccount("");
    select.value = this.account;
  }

  heard({ state, retryAt }) {
    const before = this.state;
    this.state = state;
    this.retryAt = retryAt;
    const text = state === "live" && this.restarted ? `Live since ${this.restarted}` : STATES[state];
    setText(byId("state"), text);
    setAttr(byId("state"), "data-state", state);
    if (state === before && state !== "lost") return;
    const notice = byId("notice");
    notice.hidden = !["lost", "denied"].includes(state);
    document.body.classList.toggle("stale", !notice.hidden);
    if (state === "denied") {
      setText(byId("notice-what"), "The server wants a login.");
      setText(byId("notice-more"), "What opened this page does not open the figures any more.");
      setText(byId("notice-act"), "Load the page again");
    } else if (state === "lost") {
      setText(byId("notice-what"), "The server does not answer.");
      setText(byId("notice-act"), "Try now");
      this.showWait();
    }
  }

  // How long until the next try. Not announced: it changes all the time.
  showWait() {
    if (this.state !== "lost") return;
    const left = Math.max(0, Math.ceil((this.retryAt - Date.now()) / 1000));
    const since = this.lastHeard ? `The figures are of ${clock(this.lastHeard)}. ` : "";
    setText(byId("notice-more"), `${since}Next try ${left ? `in ${left} s` : "now"}.`);
  }
}

new App();
