// The loss of parts: by family of tokens, by composer, by each label.
import {button, choice, element, set_options} from "../../../page/dom.js";
import {count} from "../../../page/format.js";
import {RowPlot} from "../charts/rows.js";
import {style_of} from "../charts/styles.js";
import {figure, fold} from "../figure.js";
import {Legend} from "../legend.js";
import {entries, pooled} from "../report.js";
import {DataTable} from "../table.js";
import {fixed, large, percent} from "../words.js";

const kMost = 20;
// [key, words, how it is written, what it is weighted with]
const kFigures = [["loss_per_note", "loss per note (nats)", fixed, "notes"], ["loss", "loss per token (nats)", fixed, "tokens"], ["top1", "first guess right", percent, "tokens"],
                  ["top5", "among the five likeliest", percent, "tokens"], ["perplexity", "perplexity", fixed, "tokens"]];
const kFamilies = {Bar: "where bars begin", Position: "where in the bar a note begins", Pitch: "which key", Velocity: "how loud", Duration: "how long",
                   Tempo: "how fast", TimeSig: "time signature", EOS: "the end of a piece", Special: "begin and end of a piece"};

export class Breakdown {
  constructor(report) {
    this.report = report;
    this.kinds = kinds_of(report);
    this.kind = 0;
    this.figure = 0;
    this.most = kMost;
    if (!this.relevant) return;
    this.plot = new RowPlot({label: "Figures of parts"});
    this.by = choice("by", this.kinds.map(({words}) => words), 0, (i) => { this.kind = i; this.figure = 0; this.draw(); });
    this.what = choice("figure", [], 0, (i) => { this.figure = i; this.draw(); });
    this.more = button("Show all", () => { this.most = Infinity; this.draw(); });
    this.table = element("div");
    const legend = new Legend(report);
    this.node = figure({headed: false, title: "By family of tokens, composer and label", plot: this.plot, controls: [this.by.node, this.what.node], csv: () => this.csv(),
                        explain: "Which parts of the music are hard to foretell. Those with most tokens come first; seeds of one configuration are pooled.",
                        after: [this.more, legend.node, fold("As a table", this.table)]});
  }

  get relevant() { return this.kinds.length > 0; }

  /** [{name, tokens, by: line → figures}] of the kind chosen. */
  parts() {
    const {of, words} = this.kinds[this.kind], found = new Map();
    for (const line of this.report.visible()) {
      const parts = new Map();
      for (const run of line.runs) for (const [name, part] of entries(of(run.evaluation ?? {}))) parts.set(name, [...(parts.get(name) ?? []), part]);
      for (const [name, all] of parts) {
        if (!found.has(name)) found.set(name, {name, tokens: 0, by: new Map()});
        const figures = {};
        for (const [key, , , weight] of kFigures) figures[key] = pooled(all, weight, [key])[key];
        const {tokens} = pooled(all, "tokens", []);
        found.get(name).by.set(line, {...figures, tokens, pieces: all[0]?.pieces});
        found.get(name).tokens = Math.max(found.get(name).tokens, tokens);
      }
    }
    const explained = (name) => (words === "family of tokens" && kFamilies[name] ? `${name} (${kFamilies[name]})` : name);
    return [...found.values()].map((part) => ({...part, name: explained(part.name || "unknown")})).sort((a, b) => b.tokens - a.tokens);
  }

  draw() {
    if (!this.relevant) return;
    const parts = this.parts(), available = kFigures.filter(([key]) => parts.some(({by}) => [...by.values()].some((figures) => Number.isFinite(figures[key]))));
    const [key, words, show] = available[Math.min(this.figure, available.length - 1)] ?? kFigures[1];
    set_options(this.what.select, available.map(([, each]) => each), Math.min(this.figure, Math.max(0, available.length - 1)));
    const visible = this.report.visible().slice(0, 8);
    this.more.hidden = parts.length <= this.most;
    this.plot.draw({x: {title: words}, rows: parts.slice(0, this.most).map(({name, tokens, by}) => ({
      name, note: count(tokens, "token"),
      points: visible.filter((line) => by.has(line)).map((line) => ({value: by.get(line)[key], style: style_of(line.index), text: `${name}, ${line.name}: ${show(by.get(line)[key])}`}))}))});
    this.key = key;
    const rows = parts.flatMap(({name, by}) => [...by].map(([line, figures]) => ({name, line: line.name, ...figures})));
    this.table.replaceChildren(new DataTable({title: `By ${this.kinds[this.kind].words}`, rows, columns: [
      {key: "name", title: this.kinds[this.kind].words, of: ({name}) => name, wide: true}, {key: "line", title: "configuration", of: ({line}) => line},
      {key: "tokens", title: "tokens", numeric: true, of: ({tokens}) => tokens, text: ({tokens}) => large(tokens)},
      ...available.map(([each, title, text]) => ({key: each, title, numeric: true, of: (row) => row[each], text: (row) => text(row[each])}))]}).node);
  }

  csv() {
    const parts = this.parts();
    return [[this.kinds[this.kind].words, "configuration", "tokens", this.key],
            ...parts.flatMap(({name, by}) => [...by].map(([line, figures]) => [name, line.name, figures.tokens, figures[this.key]]))];
  }
}

function kinds_of(report) {
  const known = (of) => report.runs.some((run) => entries(of(run.evaluation ?? {})).length > 0);
  const labels = new Set(report.runs.flatMap((run) => entries(run.evaluation?.by_label).map(([label]) => label)));
  const composers = ({by_composer}) => by_composer;
  const kinds = [{words: "family of tokens", of: ({by_family}) => by_family}, {words: "composer", of: composers},
                 ...[...labels].map((label) => ({words: label, of: ({by_label}) => by_label?.[label]}))];
  return kinds.filter(({of}) => known(of));
}
