// A table to sort, filter and copy.
import {button, element, say} from "../../page/dom.js";
import {count} from "../../page/format.js";
import {compared} from "../../page/order.js";
import {copy_button} from "./figure.js";

const kPlain = 200;  // rows at first

export class DataTable {
  /**
   * columns: [{key, title, explain, numeric, minor: left out on paper, of(row) → what to sort by and to copy, text(row), node(row)}]; `text` and `node`
   * are how it is shown where that differs.
   */
  constructor({title, columns, rows, noun = "row", filter = rows.length > 6, sort = null, row_class = () => null}) {
    Object.assign(this, {title, columns, rows, noun, sort, row_class});
    this.words = [];
    this.most = kPlain;
    this.note = element("p", {class: "note", role: "status"});
    this.body = element("tbody");
    this.heads = columns.map((column) => element("th", {scope: "col", class: classes_of(column)},
        button(column.title, () => this.sort_by(column), {title: column.explain ?? `Sort by ${column.title}`})));
    this.table = element("table", {class: "sortable", "aria-label": title}, element("thead", {}, element("tr", {}, ...this.heads)), this.body);
    this.search = element("input", {type: "search", placeholder: `Filter ${noun}s`, "aria-label": `Filter ${noun}s by text`,
                                    on: {input: () => { this.words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean); this.draw(); }}});
    this.more = button("Show all", () => { this.most = Infinity; this.draw(); }, {hidden: true});
    const told = element("span", {class: "told", role: "status"});
    this.node = element("div", {class: "data"},
        filter ? element("div", {class: "controls"}, this.search) : null,
        element("div", {class: "table-scroll", tabindex: 0, role: "region", "aria-label": title}, this.table),
        element("div", {class: "buttons take"}, this.more, copy_button(() => this.csv(), () => title, told), told), this.note);
    this.draw();
  }

  sort_by(column) {
    // What is sorted by for the first time: the smallest first, which is the best of a loss.
    this.sort = {key: column.key, up: this.sort?.key === column.key ? !this.sort.up : true};
    this.draw();
  }

  text(column, row) {
    if (column.text) return column.text(row);
    const value = column.of(row);
    return value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  }

  found(row) {
    const text = this.columns.map((column) => this.text(column, row)).join("\n").toLowerCase();
    return this.words.every((word) => text.includes(word));
  }

  /** Rows as they are shown. */
  listed() {
    const rows = this.words.length ? this.rows.filter((row) => this.found(row)) : [...this.rows];
    const column = this.columns.find(({key}) => key === this.sort?.key);
    if (!column) return rows;
    const keyed = rows.map((row, i) => ({row, i, key: column.of(row)}));
    keyed.sort((a, b) => compared(a.key, b.key, this.sort.up) || a.i - b.i);
    return keyed.map(({row}) => row);
  }

  draw() {
    this.columns.forEach(({key}, i) => {
      this.heads[i].setAttribute("aria-sort", key !== this.sort?.key ? "none" : this.sort.up ? "ascending" : "descending");
    });
    const rows = this.listed();
    this.body.replaceChildren(...rows.slice(0, this.most).map((row) => this.row(row)));
    this.more.hidden = rows.length <= this.most;
    const told = rows.length < this.rows.length ? `${rows.length} of ${count(this.rows.length, this.noun)}` : "";
    say(this.note, this.more.hidden ? told : `${told} The first ${this.most} are shown.`.trim());
  }

  row(row) {
    return element("tr", {class: this.row_class(row)}, ...this.columns.map((column, i) => {
      const content = column.node ? column.node(row) : this.text(column, row);
      const properties = {class: classes_of(column)};
      return i === 0 ? element("th", {scope: "row", ...properties}, content) : element("td", properties, content);
    }));
  }

  csv() {
    const columns = this.columns.filter((column) => column.of);
    return [columns.map(({title}) => title), ...this.listed().map((row) => columns.map((column) => column.of(row)))];
  }
}

function classes_of({numeric, wide, minor}) {
  return [numeric ? "number" : "", wide ? "wide" : "", minor ? "minor" : ""].filter(Boolean).join(" ") || null;
}
