// Whether generated music is somebody's: the longest passages that it shares with the training set.
import {element} from "../../../page/dom.js";
import {number, number_of} from "../../../page/format.js";
import {style_of} from "../charts/styles.js";
import {RowPlot} from "../charts/rows.js";
import {figure} from "../figure.js";
import {Legend} from "../legend.js";
import {entries, list, runs_with} from "../report.js";
import {DataTable} from "../table.js";
import {percent} from "../words.js";

const kMost = 12;  // runs in the figure

export class CopyingSection {
  constructor(report) {
    this.report = report;
    this.lines = runs_with(report, ({music}) => music?.copying?.generated && music.copying).map(({found, ...rest}) => ({...rest, copying: found}));
    if (!this.relevant) return;
    this.lengths = [...new Set(this.lines.flatMap(({copying}) => entries(copying.generated.overlap).map(([length]) => length)))];
    this.plot = new RowPlot({label: "Notes in passages shared with the training set"});
    const legend = new Legend(report, (line) => this.lines.some((each) => each.line === line));
    const copies = this.lines.flatMap(({name, copying}) => list(copying.copies).map((copy) => ({name, ...copy})));
    this.node = element("div", {},
        element("p", {class: "note"}, "A passage is shared where notes follow each other in the same rhythm and the same steps, at the same or another pitch. Some are shared by chance: the same figures for held-out pieces, which nobody has copied, say how many."),
        this.table(),
        this.lengths.length ? figure({title: "Notes that lie in shared passages", plot: this.plot, after: [legend.node], explain: "The hollow mark at the bottom of each row is held-out music, for comparison: what lies far to the right of it is copied.", csv: () => this.csv()}) : null,
        copies.length ? element("div", {}, element("h3", {}, "Copied passages"), element("ul", {class: "remarks"}, ...copies.map(({name, sentence, file}) =>
            element("li", {}, `⚠ ${name}: ${sentence ?? file}`)))) : element("p", {}, "No generated piece is called a copy."));
  }

  get relevant() { return this.lines.length > 0; }

  table() {
    const rows = this.lines.map(({name, copying}) => ({...copying, name}));
    const value = (key, title, explain, of) => ({key, title, explain, numeric: true, of, text: (row) => { const shown = of(row); return Number.isFinite(shown) ? number(shown, 3) : ""; }});
    return new DataTable({title: "Copying", noun: "run", rows, columns: [
      {key: "name", title: "made by", of: ({name}) => name, wide: true},
      value("copied", "copies", "generated pieces that are called copies", ({generated}) => number_of(generated.copied ?? null)),
      value("pieces", "of", "generated pieces", ({generated}) => number_of(generated.pieces ?? null)),
      value("median", "longest passage, median", "in notes, repeated figures counted once", ({generated}) => number_of(generated.median ?? null)),
      value("max", "longest passage, most", "in notes, repeated figures counted once", ({generated}) => number_of(generated.max ?? null)),
      value("held", "held out, median", "the same for pieces that were not learned from", ({held_out}) => number_of(held_out?.median ?? null)),
      value("held_max", "held out, most", "the same for pieces that were not learned from", ({held_out}) => number_of(held_out?.max ?? null)),
      value("threshold", "called a copy above", "a passage of so many notes is hardly ever shared by chance", ({threshold}) => number_of(threshold ?? null)),
    ]}).node;
  }

  visible() { return this.lines.filter(({line}) => this.report.shown.has(line)); }

  draw() {
    if (!this.lengths.length) return;
    const point = (figures, length, style, hollow, name) => ({value: number_of(figures?.overlap?.[length] ?? null), style, hollow, text: `${name}, passages of ${length} notes and more: ${percent(figures?.overlap?.[length])}`});
    const shown = this.visible().slice(0, kMost), held_out = this.lines.map(({copying}) => copying.held_out).find(Boolean);
    this.plot.draw({x: {title: "share of notes", low: 0, text: percent}, rows: this.lengths.map((length) => ({name: `passages of ${length} notes and more`, points: [
      ...shown.map(({line, name, copying}) => point(copying.generated, length, style_of(line.index), false, name)),
      ...(held_out ? [point(held_out, length, {colour: "hue-none", mark: "circle"}, true, "held-out pieces")] : [])]}))});
  }

  csv() {
    return [["configuration", "notes and more", "generated", "held out"], ...this.lines.flatMap(({name, copying}) => this.lengths.map((length) =>
        [name, length, copying.generated?.overlap?.[length], copying.held_out?.overlap?.[length]]))];
  }
}
