// One connection in a dialog, with its subscriptions.

const SUBSCRIPTIONS_SHOWN = 200;

class Detail {
  constructor(app) {
    this.app = app;
    this.dialog = byId("detail");
    this.cid = null;
    this.meter = new Meter(1);
    this.dialog.addEventListener("close", () => { this.cid = null; });
    this.table = new Table(byId("detail-subs"), {
      label: "Subscriptions",
      keyOf: ({ sid }) => sid,
      sort: { id: "msgs", way: -1 },
      empty: () => "None.",
      columns: [
        { id: "subject", title: "Subject", show: (row, cell) => showName(cell, row.subject), value: (row) => row.subject },
        { id: "queue", title: "Queue", show: (row, cell) => showName(cell, row.qgroup ?? ""), value: (row) => row.qgroup ?? "" },
        { id: "sid", title: "Sid", low: 1, show: (row, cell) => showName(cell, row.sid), value: (row) => row.sid },
        { id: "msgs", title: "Messages", number: true, show: (row, cell) => showCount(cell, row.msgs), value: (row) => row.msgs },
      ],
    });
  }

  open(cid) {
    this.cid = cid;
    this.meter = new Meter(1);
    setText(byId("detail-h"), `Connection ${cid}`);
    setText(byId("detail-note"), "");
    describe(byId("detail-facts"), []);
    this.table.update([]);
    if (!this.dialog.open) this.dialog.showModal();
    this.app.feed.refresh(this.source);
  }

  path() {
    return `connz?cid=${this.cid}&auth=1&subs=detail`;
  }

  take(page) {
    const row = page.connections?.[0];
    if (!row) {
      setText(byId("detail-note"), "The server does not know this connection any more.");
      return;
    }
    const { in_msgs, out_msgs, in_bytes, out_bytes } = row;
    const rate = this.meter.next(page.server_id, instant(page.now), { in_msgs, out_msgs, in_bytes, out_bytes });
    const flow = (msgs, size, way) => `${count(msgs)} (${bytes(size)})${rate && !row.stop ? `, ${count(rate[`${way}_msgs`])}/s` : ""}`;
    setText(byId("detail-h"), plain(row.name || `Connection ${row.cid}`));
    setText(byId("detail-note"), row.stop ? `Closed: ${plain(row.reason)}` : "");
    describe(byId("detail-facts"), [
      ["cid", String(row.cid)],
      ["Address", address(row.ip, row.port)],
      ["Client", plain([row.lang, row.version].filter(Boolean).join(" ")) || NOTHING],
      ["Account", plain(row.name_tag ?? row.account ?? "") || NOTHING],
      ["User", plain(row.authorized_user ?? "") || NOTHING],
      ["In", flow(in_msgs, in_bytes, "in"), `${exact(in_msgs)} messages, ${exact(in_bytes)} bytes`],
      ["Out", flow(out_msgs, out_bytes, "out"), `${exact(out_msgs)} messages, ${exact(out_bytes)} bytes`],
      ["Pending", bytes(row.pending_bytes)],
      ["Stalls", exact(row.stalls ?? 0), "How often it was held back for a slow reader"],
      ["RTT", row.rtt ? micros(duration(row.rtt) * 1000) : NOTHING],
      ["Up", span(duration(row.uptime))],
      ["Idle", span(duration(row.idle))],
    ]);
    const subscriptions = row.subscriptions_list_detail ?? [];
    this.table.update(subscriptions, SUBSCRIPTIONS_SHOWN);
  }

  fail(text) {
    setText(byId("detail-note"), `Not shown: ${plain(text)}`);
  }
}
