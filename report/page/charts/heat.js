// A matrix of counts as a map in ten shades. Shades go by the logarithm: what is guessed rightly a thousand times would
// otherwise hide what goes wrong.
import {svg} from "../../../page/dom.js";
import {kShades} from "../../../page/charts/ramp.js";
import {Plot, shortened} from "../../../page/charts/plot.js";

const kLongest = 100;  // pixels for names of rows

export class HeatPlot extends Plot {
  constructor({label}) {
    super({label, height: 400, margin: {top: 8}});
    this.cell = null;  // {i, j} that is read
  }

  /** rows and columns: names; values[i][j], 0 where there is nothing; text(i, j). Titles are of the axes. */
  draw({rows, columns, values, text, row_title, column_title}) {
    Object.assign(this, {rows, columns, values, text});
    const longest = (names) => Math.max(...names.map((name) => Math.min(14, name.length)), 1);
    const width = Math.max(200, this.stage.clientWidth || 600);
    this.margin.left = Math.min(kLongest, 26 + 6.6 * longest(rows));
    this.margin.bottom = 30 + Math.min(80, columns.length > 14 ? 16 : 6.4 * longest(columns));
    const size = Math.min((width - this.margin.left - 14) / columns.length, 44);
    this.height = Math.max(rows.length > 40 ? 300 : 90, Math.ceil(this.margin.top + this.margin.bottom + size * rows.length));
    this.stage.style.minHeight = `${this.height}px`;
    this.begin();
    this.dx = size;
    this.dy = (this.bottom - this.top) / rows.length;
    this.right = this.left + this.dx * columns.length;
    const shade = shades_of(values), cells = Array.from({length: kShades}, () => "");
    values.forEach((row, i) => row.forEach((value, j) => {
      const s = shade(value);
      if (s >= 0) cells[s] += `M${(this.left + j * this.dx).toFixed(1)} ${(this.top + i * this.dy).toFixed(1)}h${(this.dx + 0.2).toFixed(1)}v${(this.dy + 0.2).toFixed(1)}h${(-this.dx - 0.2).toFixed(1)}z`;
    }));
    this.add(svg("rect", {class: "heat-back", x: this.left, y: this.top, width: this.right - this.left, height: this.bottom - this.top}),
             ...cells.map((d, s) => svg("path", {class: `fill shade-${kShades - 1 - s}`, d})));
    this.names(row_title, column_title);
    this.targets = [];
    this.stage.tabIndex = 0;
    this.stage.setAttribute("aria-roledescription", "matrix; arrow keys move between cells");
    this.choose(-1);
  }

  names(row_title, column_title) {
    const every_row = Math.max(1, Math.ceil(12 / this.dy)), turned = this.columns.length <= 14;
    const every_column = turned ? Math.max(1, Math.ceil(13 / this.dx)) : step_for(this.columns, this.dx);
    this.rows.forEach((name, i) => {
      if (!labelled(this.rows, i, every_row)) return;
      this.add(svg("text", {class: "tick", x: this.left - 5, y: this.top + (i + 0.5) * this.dy + 4, "text-anchor": "end"}, shortened(name, 13)));
    });
    this.columns.forEach((name, j) => {
      if (!labelled(this.columns, j, every_column)) return;
      const x = this.left + (j + 0.5) * this.dx;
      this.add(turned ? svg("text", {class: "tick", x, y: this.bottom + 8, transform: `rotate(-90 ${x} ${this.bottom + 8})`, "text-anchor": "end", dy: 4}, shortened(name, 13))
                      : svg("text", {class: "tick", x, y: this.bottom + 14, "text-anchor": "middle"}, shortened(name, 8)));
    });
    const middle = (this.top + this.bottom) / 2;
    this.add(svg("text", {class: "axis-title", x: (this.left + this.right) / 2, y: this.height - 5, "text-anchor": "middle"}, column_title),
             svg("text", {class: "axis-title", x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, "text-anchor": "middle"}, row_title),
             svg("rect", {class: "frame", x: this.left, y: this.top, width: this.right - this.left, height: this.bottom - this.top}));
  }

  point(event) {
    if (!this.rows) return;
    const box = this.stage.getBoundingClientRect(), scale = this.width / box.width;
    const j = Math.floor(((event.clientX - box.left) * scale - this.left) / this.dx), i = Math.floor(((event.clientY - box.top) * scale - this.top) / this.dy);
    if (i >= 0 && j >= 0 && i < this.rows.length && j < this.columns.length) this.read(i, j); else this.choose(-1);
  }

  key(event) {
    const moves = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]};
    if (event.target !== this.stage || !(event.key in moves)) return;
    const [di, dj] = moves[event.key], within = (at, n) => Math.max(0, Math.min(n - 1, at));
    const {i, j} = this.cell ?? {i: 0, j: 0};
    this.read(this.cell ? within(i + di, this.rows.length) : 0, this.cell ? within(j + dj, this.columns.length) : 0);
    event.preventDefault();
  }

  read(i, j) {
    this.cell = {i, j};
    const x = this.left + j * this.dx, y = this.top + i * this.dy;
    this.targets = [{x: x + this.dx / 2, x2: x + this.dx / 2, y: y + this.dy / 2, text: this.text(i, j),
                     outline: () => `M${x} ${y}h${this.dx}v${this.dy}h${-this.dx}z`}];
    this.choose(0);
  }
}

/** Keys are named at each C, others evenly. */
function labelled(names, i, every) {
  const octaves = names.some((name) => /^C-?\d+$/.test(name));
  return octaves ? every <= 1 || /^C-?\d+$/.test(names[i]) || (i === names.length - 1 && !/\d$/.test(names[i])) : i % every === 0;
}

function step_for(names, size) {
  return Math.max(1, Math.ceil((Math.max(...names.map((name) => Math.min(8, name.length))) * 6.6 + 6) / size));
}

/** value → 0 (least) … 9 by logarithm, -1 for nothing. */
function shades_of(values) {
  let low = Infinity, high = 0;
  for (const row of values) for (const value of row) if (value > 0) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const span = Math.log(high / low) || 1;
  return (value) => (value > 0 ? Math.max(0, Math.min(kShades - 1, Math.floor((Math.log(value / low) / span) * kShades))) : -1);
}
