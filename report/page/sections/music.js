// Measures of generated music beside those of the test set: whether it is like music of that kind.
import {choice, element, set_options} from "../../../page/dom.js";
import {number, number_of} from "../../../page/format.js";
import {extent} from "../../../page/charts/scale.js";
import {BarPlot} from "../charts/bars.js";
import {LinePlot} from "../charts/lines.js";
import {kReference, style_of, swatch} from "../charts/styles.js";
import {figure} from "../figure.js";
import {Legend} from "../legend.js";
import {list, runs_with} from "../report.js";
import {DataTable} from "../table.js";
import {percent} from "../words.js";

const kPoints = 120;  // of a density

export class Music {
  constructor(report) {
    this.report = report;
    this.lines = runs_with(report, ({music}) => list(music?.measures).length > 0 && music).map(({found, ...rest}) => ({...rest, music: found}));
    if (!this.relevant) return;
    this.names = [...new Map(this.lines.flatMap(({music}) => music.measures).map((measure) => [measure.name, measure])).values()];
    this.bins = [...new Map(this.lines.flatMap(({music}) => list(music.histograms)).map((histogram) => [histogram.name, histogram])).values()];
    Object.assign(this, {of: 0, measure: 0, histogram: 0});
    this.density = new LinePlot({label: "Distribution of a measure", height: 280, drawn: () => this.draw_density()});
    this.bars = new BarPlot({label: "Histogram"});
    this.table = element("div");
    const names = this.lines.map(({name}) => name);
    this.which = choice("music of", names, 0, (i) => { this.of = i; this.draw_table(); this.draw_bars(); }, {class: "of-line"});
    const measures = choice("measure", this.names.map(({words, name}) => words || name), 0, (i) => { this.measure = i; this.density.zoom = null; this.draw_density(); }, {class: "of-measure"});
    const histograms = choice("histogram", this.bins.map(({words, name}) => words || name), 0, (i) => { this.histogram = i; this.draw_bars(); }, {class: "of-histogram"});
    const legend = () => new Legend(report, (line) => this.lines.some((each) => each.line === line)).node;
    const reference = () => element("p", {class: "legend"}, element("span", {class: "state"}, swatch(kReference), this.reference_words()));
    this.whose = element("p", {class: "note"});
    this.node = element("div", {},
        element("p", {class: "note"}, "Neither more nor less of a measure is better in itself: generated music should lie where music by people lies. The overlap says which share of the two distributions is common to both, 100 % being all of it."),
        element("div", {class: "controls"}, this.which.node), this.whose, this.table,
        figure({title: () => "Distribution over pieces", plot: this.density, controls: [measures.node], after: [reference(), legend()], csv: () => this.density_rows(),
                explain: "How a measure is spread over pieces (smoothed by a normal kernel)."}),
        this.bins.length ? figure({title: "Histograms", plot: this.bars, controls: [histograms.node], csv: () => this.bar_rows(),
                                   explain: "Grey bars are music by people, the line with dots is generated.", after: [this.distance = element("p", {class: "note"})]}) : null,
        this.structure([reference(), legend()]));
  }

  get relevant() { return this.lines.length > 0; }

  reference_words() {
    const {pieces, split} = this.lines[0].music.reference ?? {};
    return pieces ? `${typeof pieces === "number" ? pieces : list(pieces).length} pieces of the ${split ?? "test"} split` : "music by people";
  }

  draw() {
    if (!this.relevant) return;
    set_options(this.which.select, this.lines.map(({name}) => name), this.of);
    this.draw_table();
    this.draw_density();
    this.draw_bars();
    this.draw_structure();
  }

  draw_table() {
    if (this.tabled === this.of) return;
    this.tabled = this.of;
    this.whose.textContent = `Pieces ${from_elsewhere(this.lines[this.of].music)} ${this.lines[this.of].name} beside ${this.reference_words()}.`;
    const spread = (figures) => (Number.isFinite(figures?.mean) ? `${number(figures.mean, 3)}${Number.isFinite(figures.deviation) ? ` ± ${number(figures.deviation, 2)}` : ""}` : "");
    const rows = this.lines[this.of].music.measures;
    const value = (key, title, explain, text) => ({key, title, explain, numeric: true, of: (row) => number_of(row[key] ?? null), text: (row) => (Number.isFinite(row[key]) ? text(row[key]) : "")});
    this.table.replaceChildren(new DataTable({title: "Measures of music", noun: "measure", rows, filter: false, columns: [
      {key: "words", title: "measure", wide: true, of: ({words, name}) => words || name, node: ({words, name, source}) => element("span", {title: [name, source].filter(Boolean).join(", ")}, words || name)},
      {key: "generated", title: "generated", explain: "mean and standard deviation over generated pieces", numeric: true, of: ({generated}) => number_of(generated?.mean ?? null), text: ({generated}) => spread(generated)},
      {key: "reference", title: "by people", explain: "mean and standard deviation over pieces of the test set", numeric: true, of: ({reference}) => number_of(reference?.mean ?? null), text: ({reference}) => spread(reference)},
      {key: "unit", title: "unit", of: ({unit}) => unit ?? ""},
      value("overlap", "overlap", "share of the two distributions that is common to both", (each) => percent(each, 0)),
      value("distance", "distance", "how far values have to be moved on average to make the one distribution the other (Wasserstein), in the measure's unit", (each) => number(each, 3)),
    ]}).node);
  }

  /** Densities of the measure chosen: [{name, style, values}], the reference first. */
  distributions() {
    const {name} = this.names[this.measure], found = [];
    const of = ({music}) => music.measures.find((measure) => measure.name === name)?.values ?? {};
    const reference = this.lines.map((each) => finite(of(each).reference)).find((values) => values.length > 0);
    if (reference) found.push({name: "by people", style: kReference, values: reference});
    for (const each of this.lines) {
      const values = finite(of(each).generated);
      if (this.report.shown.has(each.line) && values.length > 0) found.push({name: each.name, style: style_of(each.line.index), values});
    }
    return found;
  }

  draw_density() {
    const {words, name, unit} = this.names[this.measure], found = this.distributions(), [low, high] = extent(found.flatMap(({values}) => values));
    const series = found.map(({values, ...rest}) => ({...rest, ...density(values, low, high)}));
    this.density.draw({labelled: false, series, x: {title: `${words || name}${unit ? ` (${unit})` : ""}`, text: (value) => number(value, 3)}, y: {title: "density", low: 0, text: (value) => number(value, 3)}});
  }

  density_rows() {
    return [["of", this.names[this.measure].name], ...this.distributions().flatMap(({name, values}) => values.map((value) => [name, value]))];
  }

  chosen_bins() {
    return list(this.lines[this.of].music.histograms).find(({name}) => name === this.bins[this.histogram].name);
  }

  draw_bars() {
    if (this.bins.length === 0) return;
    const histogram = this.chosen_bins() ?? {bins: [], generated: [], reference: []};
    this.bars.draw({bins: list(histogram.bins), x_title: histogram.words || histogram.name || "", filled: {name: "by people", shares: list(histogram.reference).map(number_of)},
                    outlined: {name: this.lines[this.of].name, shares: list(histogram.generated).map(number_of)}});
    this.distance.textContent = Number.isFinite(histogram.distance) ? `${this.lines[this.of].name}: distance from music by people (Jensen-Shannon; 0 where both are alike, 1 where they have nothing in common) ${number(histogram.distance, 3)}.` : "";
  }

  bar_rows() {
    const {bins = [], generated = [], reference = []} = this.chosen_bins() ?? {};
    return [["bin", "generated", "by people"], ...generated.map((share, i) => [bins[i], share, reference[i]])];
  }

  /** How alike bars are that lie some bars apart. */
  structure(after) {
    if (!this.lines.some(({music}) => list(music.structure?.generated).length > 0)) return null;
    this.similarity = new LinePlot({label: "Self-similarity", height: 280, drawn: () => this.draw_structure()});
    const {words} = this.lines.find(({music}) => music.structure).music.structure;
    return figure({title: "Form: how much bars repeat", plot: this.similarity, after, explain: `${words ?? "How much two bars have in common that lie so many bars apart"}. Peaks at 4, 8 and 16 are phrases that come again.`,
                   csv: () => [["of", "bars apart", "similarity"], ...this.structures().flatMap(({name, xs, ys}) => xs.map((x, i) => [name, x, ys[i]]))]});
  }

  structures() {
    const found = [], of = (structure, key) => ({xs: list(structure.bars).map(number_of), ys: list(structure[key]).map(number_of)});
    const first = this.lines.find(({music}) => list(music.structure?.reference).length > 0);
    if (first) found.push({name: "by people", style: kReference, ...of(first.music.structure, "reference")});
    for (const {line, name, music} of this.lines) {
      if (this.report.shown.has(line) && list(music.structure?.generated).length > 0) found.push({name, style: style_of(line.index), ...of(music.structure, "generated")});
    }
    return found;
  }

  draw_structure() {
    this.similarity?.draw({series: this.structures(), x: {title: "bars apart", text: String}, y: {title: "similarity", low: 0, text: (value) => number(value, 3)}});
  }
}

/** "by", or where the pieces came from a folder that the run need not have written: "etude evaluate --music". */
function from_elsewhere({folder, seed}) {
  return folder && seed === undefined ? `in ${folder}, measured for` : "by";
}

function finite(values) {
  return list(values).filter((value) => typeof value === "number" && Number.isFinite(value));
}

/** A normal kernel of Silverman's width (1986, equation 3.31), cut off where there are no values. */
function density(values, low, high) {
  const n = values.length, sorted = [...values].sort((a, b) => a - b), mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1));
  const quartiles = (sorted[Math.floor(0.75 * (n - 1))] - sorted[Math.floor(0.25 * (n - 1))]) / 1.34;
  const width = 0.9 * (Math.min(deviation, quartiles || deviation) || (high - low) / 20 || 1) * n ** -0.2;
  const xs = Array.from({length: kPoints}, (_, i) => low - width + ((high - low + 2 * width) * i) / (kPoints - 1));
  return {xs, ys: xs.map((x) => values.reduce((sum, value) => sum + Math.exp(-0.5 * ((x - value) / width) ** 2), 0) / (n * width * Math.sqrt(2 * Math.PI)))};
}
