// All trials, of which only the rows in sight are elements: ten thousand are no more work than thirty.
import {button, element, say, toggle} from "../../page/dom.js";
import {count, duration, number, value as shown} from "../../page/format.js";
import {compared} from "../../page/order.js";
import {kStates, worked} from "./study.js";
import {badge, state_name} from "./charts/marks.js";

const kRow = 32;       // pixels, as page.css has it
const kAround = 8;     // rows beyond those in sight
const kPrinted = 1000;

export class Table {
  constructor(context) {
    this.context = context;
    this.sort = {key: "number", up: false};
    this.hidden = new Set();
    this.words = [];
    this.rows = [];
    this.printing = false;
    this.states = new Map(kStates.map((state) => [state, toggle(state_name(state), true, (on) => {
      if (on) this.hidden.delete(state); else this.hidden.add(state);
      this.draw();
    })]));
    this.search = element("input", {type: "search", placeholder: "number, parameter, value, worker …", "aria-label": "Filter trials by text",
                                    on: {input: () => { this.words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean); this.draw(); }}});
    this.note = element("p", {class: "note", role: "status"});
    this.head = element("tr");
    this.body = element("tbody");
    this.table = element("table", {class: "trials sortable"}, element("thead", {}, this.head), this.body);
    this.box = element("div", {class: "table-box", tabindex: 0, role: "region", "aria-label": "Trials", on: {scroll: () => this.window()}}, this.table);
    this.node = element("div", {}, element("div", {class: "controls"}, ...this.states.values(), this.search), this.box, this.note);
    window.addEventListener("beforeprint", () => { this.printing = true; this.window(); });
    window.addEventListener("afterprint", () => { this.printing = false; this.window(); });
  }

  get moves() { return this.context.study.info.counts?.RUNNING > 0; }  // durations grow

  /** [{key, title, of(trial) → what to sort by, text(trial)}] */
  columns() {
    const {study} = this.context;
    return study.once("columns", () => {
      const now = () => study.info.now;
      return [
        {key: "number", title: "#", of: (trial) => trial.number, text: (trial) => String(trial.number)},
        {key: "state", title: "state", of: (trial) => kStates.indexOf(trial.state), text: (trial) => state_name(trial.state)},
        ...study.metrics.map((metric, i) => ({key: `value ${i}`, title: metric, numeric: true, of: (trial) => trial.values[i] ?? NaN,
            text: (trial) => (i in trial.values ? number(trial.values[i], 5) : "")})),
        ...study.parameters().map(({name}) => ({key: `parameter ${name}`, title: name, numeric: true, of: (trial) => trial.parameters[name],
            text: (trial) => (name in trial.parameters ? shown(trial.parameters[name]) : "")})),
        {key: "duration", title: "duration", of: (trial) => worked(trial, now()), text: (trial) => (Number.isNaN(trial.began) ? "" : duration(worked(trial, now())))},
        {key: "worker", title: "worker", of: (trial) => trial.worker, text: (trial) => trial.worker},
      ];
    });
  }

  draw() {
    const columns = this.columns(), {study} = this.context;
    for (const [state, node] of this.states) {
      say(node, `${state_name(state)} ${(study.info.counts?.[state] ?? 0).toLocaleString("en")}`);
    }
    this.draw_head(columns);
    const matches = (trial) => !this.hidden.has(trial.state) && (this.words.length === 0 || this.found(trial, columns));
    this.rows = study.trials.filter(matches);
    const {of} = columns.find(({key}) => key === this.sort.key) ?? columns[0];
    const keyed = this.rows.map((trial) => ({trial, key: of(trial)}));
    keyed.sort((a, b) => compared(a.key, b.key, this.sort.up) || b.trial.number - a.trial.number);
    this.rows = keyed.map(({trial}) => trial);
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    say(this.note, this.rows.length === study.trials.length ? count(this.rows.length, "trial")
                                                            : `${this.rows.length} of ${count(study.trials.length, "trial")}`);
    this.window();
  }

  found(trial, columns) {
    const text = [...columns.map((column) => column.text(trial)), trial.reason ?? "", JSON.stringify(trial.user_attributes)].join("\n").toLowerCase();
    return this.words.every((word) => text.includes(word));
  }

  draw_head(columns) {
    const titles = columns.map(({title}) => title).join("\n");
    if (titles !== this.titles) {
      this.titles = titles;
      this.head.replaceChildren(...columns.map(({key, title}) => element("th", {scope: "col"}, button(title, () => {
        this.sort = {key, up: this.sort.key === key ? !this.sort.up : key !== "number"};
        this.draw();
      }, {title: `Sort by ${title}`}))));
    }
    columns.forEach(({key}, i) => {
      this.head.children[i].setAttribute("aria-sort", key !== this.sort.key ? "none" : this.sort.up ? "ascending" : "descending");
    });
  }

  /** Makes the rows in sight. */
  window() {
    const n = this.rows.length, columns = this.columns();
    let first = Math.max(0, Math.floor(this.box.scrollTop / kRow) - kAround);
    let last = Math.min(n, Math.ceil((this.box.scrollTop + (this.box.clientHeight || 400)) / kRow) + kAround);
    if (this.printing) [first, last] = [0, Math.min(n, kPrinted)];
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.number : null;
    const gap = (rows) => element("tr", {class: "gap", "aria-hidden": "true", look: {height: `${rows * kRow}px`}},
                                  element("td", {colspan: columns.length}));
    const rows = this.rows.slice(first, last).map((trial, i) => this.row(trial, first + i, columns));
    this.body.replaceChildren(...(first > 0 ? [gap(first)] : []), ...rows, ...(last < n && !this.printing ? [gap(n - last)] : []));
    if (focused) this.body.querySelector(`button[data-number="${focused}"]`)?.focus({preventScroll: true});
  }

  row(trial, index, columns) {
    const {open} = this.context;
    const cells = columns.map((column) => {
      if (column.key === "number") {
        const press = button(column.text(trial), (event) => { event.stopPropagation(); open(trial.number); },
                             {class: "link", "data-number": trial.number, "aria-label": `Details of trial ${trial.number}`});
        return element("td", {}, press);
      }
      if (column.key === "state") return element("td", {}, badge(trial.state));
      const text = column.text(trial);
      return element("td", {class: column.numeric && typeof column.of(trial) === "number" ? "number" : null, title: text.length > 16 ? text : null}, text);
    });
    const best = this.context.study.info.best?.includes(trial.number);
    return element("tr", {"aria-rowindex": index + 2, class: best ? "best" : null, on: {click: () => open(trial.number)}}, ...cells);
  }
}
