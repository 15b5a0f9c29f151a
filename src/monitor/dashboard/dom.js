// Elements, and tables that are brought up to date in place.
//
// Text goes into the page as text alone. Rows keep their elements while their key lives, so that focus, selection and the pointer
// stay where they are.

const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
  return document.getElementById(id);
}

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttr(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// A custom property that the style sheet makes a length or a colour of.
function setVar(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

// A part of a whole, 0 to 1.
function setPart(element, name, value) {
  setVar(element, name, String(Math.round(Math.max(0, Math.min(1, value || 0)) * 1000) / 1000));
}

// Puts children in this order, moving as few as it can; who has the focus keeps it.
function arrange(parent, children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

// Brings a list of terms and what they are up to date: [term, text, title].
function describe(list, facts) {
  while (list.children.length > facts.length) list.lastElementChild.remove();
  facts.forEach(([term, text, title = "", mood = ""], at) => {
    const pair = list.children[at] ?? list.appendChild(make("div", {}, make("dt"), make("dd")));
    const [dt, dd] = pair.children;
    setText(dt, term);
    setText(dd, text);
    setAttr(dd, "title", title);
    setAttr(pair, "data-mood", mood);
  });
}

// A table with keyed rows. A column: { id, title, hint, number, low, show(row, cell), value(row), begin }.
// `low`: 1 is left out on a phone, 2 on a tablet too. `value` makes it sortable; `begin` says which way first.
class Table {
  constructor(host, { label, columns, keyOf, sort = null, onSort = () => {}, empty }) {
    Object.assign(this, { columns, keyOf, sort, onSort, empty });
    this.rows = new Map();
    this.heads = new Map();
    this.hidden = new Set();
    this.head = make("tr");
    for (const column of columns) this.head.append(this.makeHead(column));
    this.body = make("tbody");
    this.table = make("table", { "aria-label": label }, make("thead", {}, this.head), this.body);
    this.nothing = make("p", { class: "empty" });
    host.append(this.table, this.nothing);
    this.update([]);
  }

  makeHead(column) {
    const head = make("th", { scope: "col", class: this.classOf(column), title: column.hint ?? "" });
    if (column.value) {
      const button = make("button", { type: "button" }, column.title);
      button.addEventListener("click", () => this.sortBy(column));
      head.append(button);
    } else {
      head.append(column.title);
    }
    this.heads.set(column.id, head);
    return head;
  }

  classOf(column) {
    return [`c-${column.id}`, column.number ? "number" : "", column.low ? `low${column.low}` : ""].filter(Boolean).join(" ");
  }

  sortBy(column) {
    const first = column.begin ?? (column.number ? -1 : 1);
    const way = this.sort?.id === column.id ? -this.sort.way : first;
    this.sort = { id: column.id, way };
    this.onSort(this.sort);
    this.update(this.last);
  }

  // Columns that do not matter now.
  hide(ids) {
    this.hidden = new Set(ids);
    for (const column of this.columns) this.heads.get(column.id).hidden = this.hidden.has(column.id);
    for (const { cells } of this.rows.values()) cells.forEach((cell, at) => { cell.hidden = this.hidden.has(this.columns[at].id); });
  }

  ordered(rows) {
    const column = this.columns.find(({ id }) => id === this.sort?.id);
    if (!column?.value) return rows;
    const { way } = this.sort;
    const valued = rows.map((row, at) => ({ row, at, value: column.value(row) }));
    valued.sort((a, b) => way * compare(a.value, b.value) || a.at - b.at);
    return valued.map(({ row }) => row);
  }

  update(rows, most = Infinity) {
    this.last = rows;
    const shown = this.ordered(rows).slice(0, most);
    const kept = new Map();
    for (const row of shown) {
      const key = this.keyOf(row);
      const line = this.rows.get(key) ?? this.makeRow();
      this.columns.forEach((column, at) => column.show(row, line.cells[at]));
      kept.set(key, line);
    }
    this.rows = kept;
    arrange(this.body, [...kept.values()].map(({ element }) => element));
    for (const [id, head] of this.heads) {
      if (id === this.sort?.id) setAttr(head, "aria-sort", this.sort.way > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    this.table.hidden = rows.length === 0;
    this.nothing.hidden = rows.length > 0;
    setText(this.nothing, rows.length ? "" : this.empty());
  }

  makeRow() {
    const cells = this.columns.map((column) => {
      const cell = make("td", { class: this.classOf(column) });
      cell.hidden = this.hidden.has(column.id);
      return cell;
    });
    return { element: make("tr", {}, ...cells), cells };
  }
}

function compare(a, b) {
  if (typeof a === "string" || typeof b === "string") return String(a ?? "").localeCompare(String(b ?? ""));
  return (a ?? -Infinity) - (b ?? -Infinity) || 0;
}

// A cell of text that others chose.
function showName(cell, text) {
  const shown = plain(text);
  setText(cell, shown);
  setAttr(cell, "title", shown);
}

function showCount(cell, value) {
  setText(cell, count(value));
  setAttr(cell, "title", exact(value));
}

function showBytes(cell, value) {
  setText(cell, bytes(value));
  setAttr(cell, "title", Number.isFinite(value) ? `${exact(value)} bytes` : "");
}
