// The panels of busiest subjects and of queue groups.

// Rates of subjects are means over so long: they come from samples.
const SUBJECT_WINDOW_MS = 15000;
const QUEUE_WINDOW_MS = 8000;
const SUBJECT_ROWS = 20;
const QUEUE_ROWS = 20;
// With an account chosen, its subjects are picked out of so many.
const SUBJECT_LIMIT = { all: 50, account: 1000 };
// Below this, members do not get alike.
const FAIR = 0.8;

const accountColumn = { id: "account", title: "Account", low: 1, show: (row, cell) => showName(cell, row.account), value: (row) => row.account };

class Subjects {
  constructor(app) {
    this.app = app;
    this.meters = new Meters(SUBJECT_WINDOW_MS);
    this.depth = 0;
    this.table = new Table(byId("subjects-table"), {
      label: "Busiest subjects",
      keyOf: keyOfSubject,
      sort: { id: "in", way: -1 },
      empty: () => (this.off ? "Subjects are not counted: the server runs with --subject_sample 0." : "No subject has been busy yet."),
      columns: [
        { id: "subject", title: "Subject", show: (row, cell) => this.showSubject(row, cell), value: (row) => row.subject },
        accountColumn,
        { id: "in", title: "In /s", hint: "Messages published a second", number: true, value: rateIn, show: (row, cell) => setText(cell, count(rateIn(row))) },
        { id: "in-bytes", title: "Bytes in /s", number: true, low: 1, value: (row) => row.rate?.in_bytes ?? row.in_bytes_rate, show: (row, cell) => setText(cell, bytes(row.rate?.in_bytes ?? row.in_bytes_rate)) },
        { id: "out", title: "Out /s", hint: "Messages delivered a second", number: true, value: (row) => row.rate?.out_msgs, show: (row, cell) => setText(cell, count(row.rate?.out_msgs)) },
        { id: "total", title: "Messages", hint: "Published since the start, about", number: true, low: 2, value: (row) => row.in_msgs, show: (row, cell) => showCount(cell, row.in_msgs) },
        { id: "subs", title: "Subs", hint: "Subscriptions that get its busiest subject", number: true, value: (row) => row.subscribers, show: (row, cell) => setText(cell, exact(row.subscribers)) },
        { id: "seen", title: "Seen", number: true, low: 2, value: (row) => instant(row.last_seen), show: (row, cell) => setText(cell, span(this.now - instant(row.last_seen))) },
      ],
    });
    for (const radio of byId("depth").querySelectorAll("input")) {
      radio.addEventListener("change", () => this.setDepth(Number(radio.value)));
    }
  }

  path() {
    return `subjectz?depth=${this.depth}&limit=${this.app.account === "" ? SUBJECT_LIMIT.all : SUBJECT_LIMIT.account}`;
  }

  setDepth(depth) {
    this.depth = depth;
    const radio = byId("depth").querySelector(`input[value="${depth}"]`);
    if (!radio) return this.setDepth(0);
    radio.checked = true;
    this.meters = new Meters(SUBJECT_WINDOW_MS);
    remember("depth", String(depth));
    return this.app.feed.refresh(this.source);
  }

  nextDepth() {
    this.setDepth((this.depth + 1) % 5);
  }

  showSubject(row, cell) {
    showName(cell, row.subject);
    setPart(cell, "--part", rateIn(row) / this.most);
  }

  take(page) {
    this.now = instant(page.now);
    this.off = page.sample_every === 0;
    const { account } = this.app;
    const rows = account === "" ? page.subjects : page.subjects.filter((row) => row.account === account);
    this.meters.round(page.server_id, this.now, rows, keyOfSubject, ({ in_msgs, in_bytes, out_msgs }) => ({ in_msgs, in_bytes, out_msgs }));
    this.most = Math.max(1, ...rows.map(rateIn));
    this.table.hide(this.app.severalAccounts() ? [] : ["account"]);
    this.table.update(rows, SUBJECT_ROWS);
    const error = page.error_bound_msgs > 0 ? `, to within ${count(page.error_bound_msgs)} messages` : "";
    setText(byId("subjects-note"), this.off || page.sample_every <= 1 ? "" : `from one message in ${exact(page.sample_every)}${error}`);
  }

  fail(text) {
    setText(byId("subjects-note"), `Not shown: ${plain(text)}`);
  }
}

// Until a subject has been seen twice, the server's own.
function rateIn(row) {
  return row.rate?.in_msgs ?? row.in_msgs_rate;
}

function keyOfSubject({ account, subject }) {
  return JSON.stringify([account, subject]);
}

class Queues {
  constructor(app) {
    this.app = app;
    this.meters = new Meters(QUEUE_WINDOW_MS);
    this.table = new Table(byId("queues-table"), {
      label: "Queue groups",
      keyOf: keyOfGroup,
      sort: { id: "picks", way: -1 },
      empty: () => "No queue group has members.",
      columns: [
        { id: "queue", title: "Group", show: (row, cell) => showGroup(row, cell), value: (row) => `${row.queue} ${row.subject}` },
        accountColumn,
        { id: "members", title: "Members", hint: "Members; a bar for each core", number: true, value: (row) => row.members, show: (row, cell) => showMembers(row, cell) },
        { id: "picks", title: "Picks /s", hint: "Messages that a member was chosen for", number: true, value: (row) => row.rate?.picks ?? 0, show: (row, cell) => this.showPicks(row, cell) },
        { id: "fair", title: "Fairness", hint: "1: members have got alike; 1/n: one has got all", number: true, begin: 1, value: (row) => row.fairness, show: (row, cell) => showFairness(row, cell) },
      ],
    });
  }

  showPicks(row, cell) {
    setText(cell, count(row.rate?.picks));
    setAttr(cell, "title", `${exact(row.picks)} since its members came`);
  }

  take(page) {
    const { account } = this.app;
    const rows = account === "" ? page.groups : page.groups.filter((row) => row.account === account);
    this.meters.round(page.server_id, instant(page.now), rows, keyOfGroup, ({ picks }) => ({ picks }));
    this.table.hide(this.app.severalAccounts() ? [] : ["account"]);
    this.table.update(rows, QUEUE_ROWS);
    setText(byId("queues-note"), rows.length > QUEUE_ROWS ? `${QUEUE_ROWS} of ${exact(account === "" ? page.total : rows.length)}` : "");
  }

  fail(text) {
    setText(byId("queues-note"), `Not shown: ${plain(text)}`);
  }
}

function keyOfGroup({ account, subject, queue }) {
  return JSON.stringify([account, subject, queue]);
}

// A name with something smaller below it. Elements are made once.
function showPair(cell, first, second) {
  if (!cell.firstElementChild) cell.append(make("span", { class: "first" }), make("span", { class: "second" }));
  showName(cell.firstElementChild, first);
  showName(cell.lastElementChild, second);
}

function showGroup(row, cell) {
  showPair(cell, row.queue, row.subject);
}

function showMembers(row, cell) {
  if (!cell.firstElementChild) cell.append(make("span", { class: "bars", "aria-hidden": "true" }), make("span"));
  const [bars, text] = cell.children;
  const cores = row.members_by_core.length > 16 ? [] : row.members_by_core;
  while (bars.children.length > cores.length) bars.lastElementChild.remove();
  while (bars.children.length < cores.length) bars.append(make("i"));
  const most = Math.max(1, ...cores);
  cores.forEach((members, at) => setPart(bars.children[at], "--part", members / most));
  setText(text, exact(row.members));
  setAttr(cell, "title", row.members_by_core.map((members, core) => `core ${core}: ${members}`).join(", "));
}

function showFairness(row, cell) {
  setText(cell, row.fairness.toFixed(2));
  setAttr(cell, "data-mood", row.fairness < FAIR && row.picks > 100 ? "warn" : "");
}
