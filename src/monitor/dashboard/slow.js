// The panel of slow consumers: who is behind, who was closed for it, and who is held back by them.

const SLOW_ROWS = 12;
const SLOW_KINDS = { behind: "behind", closed: "closed", held: "held back" };

class Slow {
  constructor(app) {
    this.app = app;
    this.table = new Table(byId("slow-table"), {
      label: "Slow consumers",
      keyOf: ({ kind, cid, stop = "" }) => `${kind} ${cid} ${stop}`,
      empty: () => "Nobody is behind, and nobody was closed for being slow.",
      columns: [
        { id: "kind", title: "What", show: (row, cell) => showKind(row, cell) },
        { id: "who", title: "Connection", show: (row, cell) => this.showWho(row, cell) },
        { id: "pending", title: "Pending", hint: "Bytes that it has not taken", number: true, show: (row, cell) => showBytes(cell, row.pending_bytes) },
        { id: "how", title: "Effect", low: 1, show: (row, cell) => setText(cell, this.effect(row)) },
      ],
    });
  }

  showWho(row, cell) {
    showConnection(cell, row, this.app, `cid ${row.cid}${row.ip ? `, ${row.port ? address(row.ip, row.port) : row.ip}` : ""}`);
    // Where there is no room for a column of its own.
    if (!cell.querySelector(".third")) cell.append(make("span", { class: "third" }));
    setText(cell.lastElementChild, this.effect(row));
  }

  effect(row) {
    if (row.kind === "held") return `held back ${exact(row.stalls)}×${row.by.length ? ` by cid ${row.by.join(", ")}` : ""}`;
    if (row.kind === "closed") return `${plain(row.reason)}, ${span(this.now - instant(row.stop))} ago; ${exact(row.lost_msgs)} messages lost`;
    const stalls = row.stalls_caused ? `, held others back ${exact(row.stalls_caused)}×` : "";
    return (row.behind_ms > 0 ? `${span(row.behind_ms)} behind` : "not behind") + stalls;
  }

  take(page) {
    this.now = instant(page.now);
    const { account } = this.app;
    const open = page.connections.filter((row) => account === "" || row.account === account);
    const rows = [
      ...open.map((row) => ({ ...row, kind: "behind" })),
      // Which account these are of is not told.
      ...(account === "" ? page.held_back : []).map((row) => ({ ...row, kind: "held", pending_bytes: NaN })),
      ...(account === "" ? page.closed : []).map((row) => ({ ...row, kind: "closed" })),
    ];
    this.table.update(rows, SLOW_ROWS);
    const slow = account === "" ? page.num_slow : open.filter((row) => row.behind_ms > 0).length;
    const rest = rows.length > SLOW_ROWS ? `; ${SLOW_ROWS} of ${rows.length} lines` : "";
    setText(byId("slow-note"), slow ? `${exact(slow)} behind${rest}` : `nobody is behind${rest}`);
    setAttr(byId("slow"), "data-mood", slow ? "warn" : "");
  }

  fail(text) {
    setText(byId("slow-note"), `Not shown: ${plain(text)}`);
  }
}

function showKind(row, cell) {
  if (!cell.firstElementChild) cell.append(make("span", { class: "tag" }));
  setText(cell.firstElementChild, SLOW_KINDS[row.kind]);
  setAttr(cell.firstElementChild, "data-kind", row.kind);
}

// A connection's name as a button that opens its details, with a line below.
function showConnection(cell, row, app, below) {
  if (!cell.firstElementChild) {
    const button = make("button", { type: "button", class: "link first" });
    button.addEventListener("click", () => app.detail.open(cell.cid));
    cell.append(button, make("span", { class: "second" }));
  }
  cell.cid = row.cid;
  showName(cell.firstElementChild, row.name || `cid ${row.cid}`);
  showName(cell.children[1], below);
}
