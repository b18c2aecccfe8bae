// What a model takes for what.
import {choice, element, set_options, toggle} from "../../../page/dom.js";
import {count} from "../../../page/format.js";
import {ramp} from "../../../page/charts/ramp.js";
import {HeatPlot} from "../charts/heat.js";
import {figure} from "../figure.js";
import {entries, list} from "../report.js";
import {key_name, percent, pitch_class} from "../words.js";

const kWords = {families: "families of tokens", pitches: "keys", pitch_classes: "pitch classes (keys of any octave)", intervals: "intervals from the note before, in semitones",
                durations: "durations"};
const kNone = {families: "other", intervals: "no note"};

export class Confusion {
  constructor(report) {
    this.report = report;
    this.lines = report.lines.filter((line) => line.runs.some((run) => matrices(run).length > 0));
    this.kinds = Object.keys(kWords).filter((kind) => this.lines.some((line) => this.matrix_of(line, kind)));
    if (!this.relevant) return;
    Object.assign(this, {line: 0, kind: 0, shares: true});
    this.plot = new HeatPlot({label: "Confusion matrix"});
    this.which = choice("of", this.lines.map(({name}) => name), 0, (i) => { this.line = i; this.draw(); }, {class: "of-line"});
    this.what = choice("matrix of", this.kinds.map((kind) => kWords[kind]), 0, (i) => { this.kind = i; this.plot.cell = null; this.draw(); }, {class: "of-kind"});
    this.about = element("p", {class: "note"});
    this.node = figure({headed: false, title: "What is taken for what", plot: this.plot, csv: () => this.rows(),
        controls: [this.which.node, this.what.node, toggle("shares of each row", true, (on) => { this.shares = on; this.draw(); })],
        explain: "Each row is what was due in the music, each column what the model held to be likeliest; the diagonal is right. Shades go by the logarithm. Point at a cell, or move with the arrow keys, to read it.",
        after: [element("p", {class: "legend"}, "less ", turned(), " more"), this.about]});
  }

  get relevant() { return this.kinds.length > 0; }

  /** Of all seeds that have one, added up: {rows, columns, counts}, or null. */
  matrix_of(line, kind) {
    const all = line.runs.map((run) => run.evaluation?.confusion?.[kind]).filter((matrix) => list(matrix?.counts).length > 0);
    if (all.length === 0) return null;
    const same = all.filter((matrix) => matrix.counts.length === all[0].counts.length && matrix.counts[0].length === all[0].counts[0].length);
    const counts = all[0].counts.map((row, i) => row.map((_, j) => same.reduce((sum, matrix) => sum + (Number(matrix.counts[i]?.[j]) || 0), 0)));
    const names = names_of(all[0], counts.length, kind);
    const width = Math.max(...counts.map((row) => row.length)), none = kNone[kind] ?? "none";
    return {rows: names, columns: Array.from({length: width}, (_, j) => names[j] ?? none), counts};
  }

  draw() {
    if (!this.relevant) return;
    const line = this.lines[this.line], kind = this.kinds[this.kind], matrix = this.matrix_of(line, kind);
    set_options(this.which.select, this.lines.map(({name}) => name), this.line);
    if (!matrix) {
      this.plot.begin();
      this.plot.empty("This one has no such matrix");
      return;
    }
    const {rows, columns, counts} = within(matrix), sums = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
    const values = this.shares ? counts.map((row, i) => row.map((n) => (sums[i] ? n / sums[i] : 0))) : counts;
    this.plot.draw({rows, columns, values, row_title: "due", column_title: "held to be likeliest",
                    text: (i, j) => `${rows[i]} was due, ${columns[j]} the likeliest:\n${count(counts[i][j], "time")} of ${sums[i].toLocaleString("en")}, ${percent(sums[i] ? counts[i][j] / sums[i] : 0)}`});
    const all = sums.reduce((sum, n) => sum + n, 0), right = counts.reduce((sum, row, i) => sum + (row[columns.indexOf(rows[i])] ?? 0), 0);
    this.about.textContent = all ? `${line.name}: ${percent(right / all)} of ${all.toLocaleString("en")} lie on the diagonal.` : "";
  }

  rows() {
    const {rows, columns, counts} = this.matrix_of(this.lines[this.line], this.kinds[this.kind]) ?? {rows: [], columns: [], counts: []};
    return [["due", ...columns], ...counts.map((row, i) => [rows[i], ...row])];
  }
}

function matrices(run) {
  return entries(run.evaluation?.confusion);
}

function names_of(matrix, n, kind) {
  if (Array.isArray(matrix.names)) return matrix.names.map(String);
  const lowest = Number(matrix.lowest) || 0;
  const name = kind === "pitches" ? key_name : kind === "pitch_classes" ? pitch_class : String;
  return Array.from({length: n}, (_, i) => name(lowest + i));
}

/** Without rows and columns at the ends that hold nothing: music rarely uses the outermost keys. */
function within({rows, columns, counts}) {
  const used = (i) => counts[i].some(Boolean) || (i < columns.length && counts.some((row) => row[i]));
  let first = 0, last = rows.length - 1;
  while (first < last && !used(first)) ++first;
  while (last > first && !used(last)) --last;
  const kept = columns.map((_, j) => j).filter((j) => (j >= first && j <= last) || j >= rows.length);
  return {rows: rows.slice(first, last + 1), columns: kept.map((j) => columns[j]), counts: counts.slice(first, last + 1).map((row) => kept.map((j) => row[j] ?? 0))};
}

function turned() {
  const node = ramp();
  node.classList.add("turned");
  return node;
}
