// The panel of connections: sorted by the server where there are more than are loaded, filtered here.

const CONNECTION_WINDOW_MS = 5000;
const ROWS_FIRST = 25;
const ROWS_MAX = 2000;
// With a filter, it is looked for among so many.
const FILTER_LIMIT = 5000;

// What the server sorts by for each column, so that what is loaded is what stands first.
const SERVER_SORTS = {
  name: "cid", account: "cid", cid: "cid", in: "msgs_from", out: "msgs_to", "in-bytes": "bytes_from", "out-bytes": "bytes_to",
  pending: "pending", subs: "subs", rtt: "rtt", up: "uptime", idle: "idle", reason: "reason", stopped: "stop",
};

class Connections {
  constructor(app) {
    this.app = app;
    this.meters = new Meters(CONNECTION_WINDOW_MS);
    this.most = ROWS_FIRST;
    this.filter = "";
    this.state = "open";
    this.total = 0;
    const rate = (name) => (row) => row.rate?.[name];
    const number = (id, title, value, show, more = {}) => ({ id, title, number: true, value, show: (row, cell) => show(cell, value(row)), ...more });
    this.table = new Table(byId("connections-table"), {
      label: "Connections",
      keyOf: ({ cid }) => cid,
      sort: { id: "in", way: -1 },
      onSort: () => app.feed.refresh(this.source),
      empty: () => this.nothing(),
      columns: [
        number("cid", "Cid", (row) => row.cid, (cell, cid) => setText(cell, String(cid)), { low: 2, begin: 1 }),
        { id: "name", title: "Connection", show: (row, cell) => showConnection(cell, row, app, below(row)), value: (row) => plain(row.name ?? "").toLowerCase() },
        { ...accountColumn, show: (row, cell) => showName(cell, row.name_tag ?? row.account ?? ""), value: (row) => row.name_tag ?? row.account ?? "" },
        number("in", "In /s", rate("in_msgs"), (cell, value) => setText(cell, count(value)), { hint: "Messages a second from the client" }),
        number("out", "Out /s", rate("out_msgs"), (cell, value) => setText(cell, count(value)), { hint: "Messages a second to the client" }),
        number("in-bytes", "Bytes in", (row) => row.in_bytes, showBytes, { low: 2 }),
        number("out-bytes", "Bytes out", (row) => row.out_bytes, showBytes, { low: 2 }),
        number("pending", "Pending", (row) => row.pending_bytes, showBytes, { hint: "Bytes that it has not taken" }),
        number("subs", "Subs", (row) => row.subscriptions, (cell, value) => setText(cell, exact(value)), { low: 1 }),
        { id: "rtt", title: "RTT", number: true, low: 2, value: (row) => duration(row.rtt), show: (row, cell) => setText(cell, row.rtt ? micros(duration(row.rtt) * 1000) : NOTHING) },
        { id: "up", title: "Up", number: true, low: 1, value: (row) => duration(row.uptime), show: (row, cell) => setText(cell, span(duration(row.uptime))) },
        { id: "idle", title: "Idle", number: true, low: 2, value: (row) => duration(row.idle), show: (row, cell) => setText(cell, span(duration(row.idle))) },
        { id: "reason", title: "Reason", value: (row) => row.reason ?? "", show: (row, cell) => showName(cell, row.reason ?? "") },
        { id: "stopped", title: "Closed", hint: "How long ago", number: true, low: 1, value: (row) => instant(row.stop), show: (row, cell) => setText(cell, `${span(this.now - instant(row.stop))} ago`) },
      ],
    });
    this.listen();
    this.hideColumns();
  }

  listen() {
    const field = byId("filter");
    field.addEventListener("input", () => {
      this.filter = field.value.trim().toLowerCase();
      this.most = ROWS_FIRST;
      this.show();
      // What is not loaded yet may match too.
      if (this.total > (this.rows?.length ?? 0)) this.app.feed.refresh(this.source);
    });
    for (const radio of byId("conn-state").querySelectorAll("input")) {
      radio.addEventListener("change", () => this.setState(radio.value));
    }
    byId("more").addEventListener("click", () => {
      this.most = Math.min(ROWS_MAX, this.most * 4);
      this.show();
      this.app.feed.refresh(this.source);
    });
  }

  setState(state) {
    this.state = state;
    this.rows = null;
    this.meters = new Meters(CONNECTION_WINDOW_MS);
    this.table.sort = state === "closed" ? { id: "stopped", way: -1 } : { id: "in", way: -1 };
    this.hideColumns();
    this.app.feed.refresh(this.source);
  }

  hideColumns() {
    const of = this.state === "open" ? ["reason", "stopped"] : ["in", "out", "pending", "idle", "rtt"];
    this.table.hide(this.app.severalAccounts() ? of : [...of, "account"]);
  }

  path() {
    const { id, way } = this.table.sort;
    const limit = this.filter ? FILTER_LIMIT : this.most;
    // The server sorts one way; the other end of it is a page that begins later.
    const reverse = way === (["cid", "name", "account"].includes(id) ? -1 : 1);
    const offset = reverse ? Math.max(0, this.total - limit) : 0;
    const account = this.app.account === "" ? "" : `&acc=${encodeURIComponent(this.app.account)}`;
    return `connz?auth=1&state=${this.state}&sort=${SERVER_SORTS[id] ?? "cid"}&limit=${limit}&offset=${offset}${account}`;
  }

  take(page) {
    this.now = instant(page.now);
    this.total = page.total;
    this.rows = page.connections ?? [];
    this.meters.round(page.server_id, this.now, this.rows, ({ cid }) => cid, ({ in_msgs, out_msgs }) => ({ in_msgs, out_msgs }));
    this.hideColumns();
    this.show();
  }

  show() {
    const rows = (this.rows ?? []).filter((row) => this.matches(row));
    this.table.update(rows, this.most);
    const shown = Math.min(rows.length, this.most);
    const loaded = this.rows?.length ?? 0;
    const parts = [];
    if (this.filter) parts.push(`${exact(rows.length)} match${rows.length === 1 ? "es" : ""}`);
    if (shown < this.total) parts.push(this.filter ? `of ${exact(loaded)}${loaded < this.total ? ` looked at, ${exact(this.total)} in all` : ""}` : `${exact(shown)} of ${exact(this.total)}`);
    else if (this.rows) parts.push(`${exact(this.total)} ${this.state}`);
    setText(byId("connections-note"), parts.join(" "));
    byId("more").hidden = this.most >= ROWS_MAX || (this.filter ? rows.length : this.total) <= this.most;
  }

  // Every word must be found somewhere.
  matches(row) {
    if (!this.filter) return true;
    const text = [row.name, row.ip, row.port, row.cid, row.lang, row.version, row.authorized_user, row.name_tag, row.reason].join(" ").toLowerCase();
    return this.filter.split(/\s+/).every((word) => text.includes(word));
  }

  nothing() {
    if (!this.rows) return "";
    return this.filter ? "No connection matches the filter." : `No connection is ${this.state}.`;
  }

  fail(text) {
    setText(byId("connections-note"), `Not shown: ${plain(text)}`);
  }
}

function below(row) {
  const client = [row.lang, row.version].filter(Boolean).join(" ");
  return [address(row.ip, row.port), client, row.authorized_user].filter(Boolean).join(" · ");
}
