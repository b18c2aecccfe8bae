// Which is better, by how much, and how sure that is.
import {button, element} from "../../../page/dom.js";
import {number_of} from "../../../page/format.js";
import {RowPlot} from "../charts/rows.js";
import {style_of} from "../charts/styles.js";
import {figure, fold} from "../figure.js";
import {interval_of, list} from "../report.js";
import {DataTable} from "../table.js";
import {fixed, range, signed} from "../words.js";

const kMost = 24;

export class Comparisons {
  constructor(report) {
    this.report = report;
    this.most = kMost;
    this.all = list(report.model.comparisons).map((each) => ({
      ...each, name_a: report.name_of(each.a), name_b: report.name_of(each.b), difference: number_of(each.difference ?? null), interval: interval_of(each)}));
    this.refused = list(report.model.refused);
    this.plot = new RowPlot({label: "Differences between configurations"});
    this.results = new RowPlot({label: "Each configuration"});
    const {metric} = report, less = metric.goal === "maximize" ? "more" : "less";
    this.more = button("Show all", () => { this.most = Infinity; this.draw(); }, {hidden: this.all.length <= kMost});
    const measured = report.lines.filter(({value, stranger}) => Number.isFinite(value) && !stranger);
    this.measured = measured;
    const columns = [
      {key: "a", title: "a", of: ({name_a}) => name_a, wide: true}, {key: "b", title: "b", of: ({name_b}) => name_b, wide: true},
      {key: "difference", title: "a less b", numeric: true, of: ({difference}) => difference, text: ({difference}) => signed(difference)},
      {key: "low", title: "from", numeric: true, of: ({interval}) => interval?.low, text: ({interval}) => signed(interval?.low)},
      {key: "high", title: "to", numeric: true, of: ({interval}) => interval?.high, text: ({interval}) => signed(interval?.high)},
      {key: "pieces", title: "pieces", numeric: true, of: ({pieces}) => pieces},
      {key: "verdict", title: "verdict", of: ({verdict}) => verdict},
      {key: "sentence", title: "in words", wide: true, of: ({sentence}) => sentence}];
    this.node = element("div", {},
        measured.length > 1 ? figure({title: `${metric.short.slice(0, 1).toUpperCase()}${metric.short.slice(1)} of each configuration`, plot: this.results, csv: () => this.result_rows(),
            explain: `Means with the interval in which they lie with 95 % confidence; ${less} is better. Small marks are single seeds. Where intervals overlap the difference below, which goes piece by piece, can still be clear.`}) : null,
        this.all.length ? figure({title: "Differences", plot: this.plot, after: [this.more],
            explain: "Each two were measured on the same pieces; the whisker is the 95 % interval of the difference of their means (paired bootstrap over pieces, and over seeds where there are several). A hollow mark is a difference within noise: its interval reaches over zero.",
            csv: () => [["a", "b", "difference", "low", "high", "verdict"], ...this.all.map((each) => [each.name_a, each.name_b, each.difference, each.interval?.low, each.interval?.high, each.verdict])]}) : null,
        this.all.length ? fold("All comparisons as a table", new DataTable({title: "Comparisons", noun: "comparison", rows: this.all, columns}).node) : null,
        this.refused.length ? element("div", {class: "refused"}, element("h3", {}, "Not compared"), element("ul", {class: "remarks"}, ...this.refused.map(({a, b, reason}) =>
            element("li", {}, `⚠ ${report.name_of(a)} and ${report.name_of(b)}: ${reason}`)))) : null);
  }

  get relevant() { return this.all.length > 0 || this.refused.length > 0 || this.measured.length > 1; }

  result_rows() {
    return [["configuration", this.report.metric.name, "low", "high", "seeds"],
            ...this.measured.map(({name, value, interval, runs}) => [name, value, interval?.low, interval?.high, runs.length])];
  }

  draw() {
    const {report} = this, {metric} = report, unit = metric.unit ? ` (${metric.unit})` : "";
    if (this.measured.length > 1) {
      this.results.draw({x: {title: `${metric.short}${unit}`}, rows: this.measured.slice(0, this.most === kMost ? 40 : Infinity).map((line) => {
        const style = style_of(line.index), seeds = line.runs.map((run) => number_of(run.metrics?.[metric.name] ?? null)).filter(Number.isFinite);
        const text = `${line.name}: ${fixed(line.value)}${line.interval ? `, ${range(line.interval)}` : ""}`;
        return {name: line.name, note: seeds.length > 1 ? `${seeds.length} seeds` : "", small: seeds.length > 1 ? seeds : [], points: [{value: line.value, ...line.interval, style, text}]};
      })});
    }
    if (this.all.length === 0) return;
    this.more.hidden = this.all.length <= this.most;
    const better = metric.goal === "maximize" ? ["b better", "a better"] : ["a better", "b better"];
    this.plot.draw({x: {title: `${metric.short}: first less second${unit}`, mark: 0, mark_words: better.map((words) => (words === "a better" ? "first better" : "second better"))},
                    rows: this.all.slice(0, this.most).map((each) => {
      const clear = each.verdict === "a better" || each.verdict === "b better";
      const winner = each.verdict === "b better" ? each.b : each.a;
      const style = clear ? style_of(report.line_of.get(winner)?.index ?? 0) : {colour: "hue-none", mark: "circle"};
      return {name: `${each.name_a} – ${each.name_b}`, note: plain_verdict(each),
              points: [{value: each.difference, ...each.interval, style, hollow: !clear, text: each.sentence ?? `${signed(each.difference)}: ${each.verdict}`}]};
    })});
  }
}

function plain_verdict({verdict}) {
  return verdict === "a better" ? "first is better" : verdict === "b better" ? "second is better" : String(verdict ?? "");
}
