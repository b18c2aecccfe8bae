// Whether a model is as sure as it is right.
import {element} from "../../../page/dom.js";
import {LinePlot} from "../charts/lines.js";
import {style_of} from "../charts/styles.js";
import {figure} from "../figure.js";
import {Legend} from "../legend.js";
import {list, pooled} from "../report.js";
import {percent} from "../words.js";

export class Calibration {
  constructor(report) {
    this.report = report;
    this.curves = new Map(report.lines.map((line) => [line, bins_of(line)]).filter(([, bins]) => bins.length > 0));
    this.plot = new LinePlot({label: "Calibration", height: 340, drawn: () => this.draw()});
    const legend = new Legend(report, (line) => this.curves.has(line));
    this.errors = element("p", {class: "note"});
    this.node = figure({headed: false, title: "Calibration", plot: this.plot, after: [this.errors, legend.node], csv: () => this.rows(),
                        explain: "Of the tokens that a model gave, say, 70 % to, 70 % should be right: then its line lies on the dotted diagonal. Below it a model is surer than it should be, above it too modest."});
  }

  get relevant() { return this.curves.size > 0; }

  lines() { return this.report.visible().filter((line) => this.curves.has(line)); }

  draw() {
    const series = this.lines().map((line) => {
      const bins = this.curves.get(line);
      return {name: line.name, style: style_of(line.index), xs: bins.map(({confidence}) => confidence), ys: bins.map(({correct}) => correct)};
    });
    const show = (value) => percent(value);
    this.plot.draw({series, x: {title: "confidence in the likeliest token", low: 0, high: 1, text: show}, y: {title: "share that was right", low: 0, high: 1, text: show},
                    areas: [{from: [0, 0], to: [1, 1]}]});
    this.errors.textContent = `Mean distance from the diagonal (expected calibration error): ${this.lines().map((line) => {
      const errors = line.runs.map((run) => run.evaluation?.calibration?.error).filter(Number.isFinite);
      return errors.length ? `${line.name} ${percent(errors.reduce((sum, error) => sum + error, 0) / errors.length, 2)}` : "";
    }).filter(Boolean).join(", ")}.`;
  }

  rows() {
    return [["configuration", "from", "to", "tokens", "confidence", "correct"], ...this.lines().flatMap((line) =>
        this.curves.get(line).map(({from, to, tokens, confidence, correct}) => [line.name, from, to, tokens, confidence, correct]))];
  }
}

function bins_of(line) {
  const found = new Map();
  for (const run of line.runs) {
    for (const bin of list(run.evaluation?.calibration?.bins)) found.set(bin.from, [...(found.get(bin.from) ?? []), bin]);
  }
  return [...found.values()].map((parts) => ({from: parts[0].from, to: parts[0].to, ...pooled(parts, "tokens", ["confidence", "correct"])}))
      .filter(({tokens, correct}) => tokens > 0 && Number.isFinite(correct)).sort((a, b) => a.from - b.from);
}
