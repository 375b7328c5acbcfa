// A list of rows: only those in sight exist as elements; sorting and filtering work on indices.

const ROW = 28;
const HEAD = 32;
const TALLEST = 420; // pixels; more rows than that scroll
const SPARE = 8; // rows kept above and below what is in sight

/** `rows` has a `count` and, by row, whether it is `shown`; a column says how a row is sorted (`key`) and read (`text`). */
class RowList {
  constructor(rows, columns, choose, id = "list") {
    this.source = rows;
    this.choose = choose;
    this.columns = columns;
    this.box = byId(id);
    // shares of the width, so that the last column ends where the rows do, scrollbar or not
    this.grid = this.columns.map((column) => `minmax(${column.width}px, ${column.width}fr)`).join(" ");
    this.box.style.setProperty("--columns", `${this.columns.reduce((sum, column) => sum + column.width, 0)}px`);
    this.rows = Int32Array.from({ length: rows.count }, (_, i) => i);
    this.sorted = { column: this.columns[0], down: false };
    this.chosen = -1;
    this.drawn = new Map(); // position in the list to its element
    this.buildHead();
    this.body = this.box.appendChild(element("div", "body"));
    this.box.addEventListener("scroll", () => this.drawRows());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.pick(Number(row.dataset.row));
    });
    this.refresh();
  }

  buildHead() {
    const head = this.box.appendChild(element("div", "head"));
    head.setAttribute("role", "row");
    head.style.gridTemplateColumns = this.grid;
    for (const column of this.columns) {
      const cell = head.appendChild(element("div", column.left ? "left" : ""));
      cell.setAttribute("role", "columnheader");
      const button = cell.appendChild(element("button", "", column.label));
      button.type = "button";
      button.addEventListener("click", () => this.sortBy(column));
      column.cell = cell;
    }
  }

  sortBy(column) {
    const down = this.sorted.column === column ? !this.sorted.down : Boolean(column.downFirst);
    this.sorted = { column, down };
    this.refresh();
  }

  /** Filter and sort anew. */
  refresh() {
    const { source } = this;
    const { column, down } = this.sorted;
    const sign = down ? -1 : 1;
    const rows = [];
    for (let i = 0; i < source.count; i++) if (source.shown[i]) rows.push(i);
    const order = (a, b) => {
      const [left, right] = [column.key(a), column.key(b)];
      if (left === right || (left !== left && right !== right)) return a - b;
      if (left !== left) return 1; // what is absent comes last, either way
      if (right !== right) return -1;
      return left < right ? -sign : sign;
    };
    this.rows = Int32Array.from(rows.sort(order));
    for (const each of this.columns) {
      if (each === column) each.cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else each.cell.removeAttribute("aria-sort");
      each.cell.firstChild.textContent = each.label + (each === column ? (down ? " ↓" : " ↑") : "");
    }
    this.body.style.height = `${this.rows.length * ROW}px`;
    this.box.style.height = `${Math.min(TALLEST, HEAD + this.rows.length * ROW + this.box.offsetHeight - this.box.clientHeight)}px`;
    this.box.setAttribute("aria-rowcount", this.rows.length + 1);
    this.body.replaceChildren();
    this.drawn.clear();
    this.drawRows();
  }

  /** Make rows that have come into sight and drop those that have left it; the others stay the elements they are. */
  drawRows() {
    const from = Math.max(0, Math.floor(this.box.scrollTop / ROW) - SPARE);
    const to = Math.min(this.rows.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + SPARE);
    for (const [k, row] of this.drawn) {
      if (k >= from && k < to) continue;
      row.remove();
      this.drawn.delete(k);
    }
    const fresh = document.createDocumentFragment();
    for (let k = from; k < to; k++) {
      if (this.drawn.has(k)) continue;
      const row = this.row(k);
      this.drawn.set(k, row);
      fresh.append(row);
    }
    this.body.append(fresh);
  }

  row(k) {
    const i = this.rows[k];
    const row = element("div", "row");
    row.dataset.row = i;
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", k + 2);
    this.mark(row, i === this.chosen);
    row.style.top = `${k * ROW}px`;
    row.style.gridTemplateColumns = this.grid;
    for (const column of this.columns) {
      const sign = column.tone ? column.tone(i) : 0;
      const tone = sign > 0 ? " gain" : sign < 0 ? " loss" : "";
      const cell = row.appendChild(element("div", `cell${column.left ? " left" : ""}${tone}`, column.text(i)));
      cell.setAttribute("role", "gridcell");
      if (column.long) cell.title = cell.textContent;
    }
    return row;
  }

  mark(row, on) {
    row.classList.toggle("on", on);
    row.setAttribute("aria-selected", on);
  }

  /** Choose a row and bring it into sight. */
  show(i) {
    this.box.scrollTop = Math.max(0, this.rows.indexOf(i) * ROW - 4 * ROW);
    this.pick(i);
  }

  pick(i) {
    this.chosen = i;
    this.drawRows();
    for (const row of this.drawn.values()) this.mark(row, Number(row.dataset.row) === i);
    this.choose(i);
  }

  unpick() {
    this.chosen = -1;
    for (const row of this.drawn.values()) this.mark(row, false);
  }

  key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!move || event.target.tagName === "BUTTON" || !this.rows.length) return;
    event.preventDefault();
    const at = this.rows.indexOf(this.chosen);
    const next = Math.max(0, Math.min(this.rows.length - 1, at + move));
    const room = this.box.clientHeight - 2 * ROW;
    if (next * ROW < this.box.scrollTop) this.box.scrollTop = next * ROW;
    if (next * ROW > this.box.scrollTop + room - ROW) this.box.scrollTop = next * ROW - room + ROW;
    this.pick(this.rows[next]);
  }
}
