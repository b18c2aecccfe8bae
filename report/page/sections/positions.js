// What the music heard so far brings: the loss by how far into its piece a token stands.
import {number} from "../../../page/format.js";
import {LinePlot} from "../charts/lines.js";
import {style_of} from "../charts/styles.js";
import {figure} from "../figure.js";
import {Legend} from "../legend.js";
import {list, pooled} from "../report.js";
import {fixed} from "../words.js";

export class Positions {
  constructor(report) {
    this.report = report;
    this.curves = new Map(report.lines.map((line) => [line, stretches(line)]).filter(([, points]) => points.length > 1));
    this.plot = new LinePlot({label: "Loss by position in the piece", height: 320, drawn: () => this.draw()});
    const legend = new Legend(report, (line) => this.curves.has(line));
    this.node = figure({headed: false, title: "Loss by position in the piece", plot: this.plot, after: [legend.node], csv: () => this.rows(),
                        explain: "How hard a token is to foretell, by how many stand before it in its piece (at the middle of each stretch). A line that goes on falling makes use of what was heard long ago. Seeds of one configuration are pooled."});
  }

  get relevant() { return this.curves.size > 0; }

  draw() {
    const series = this.report.visible().filter((line) => this.curves.has(line)).map((line) => {
      const points = this.curves.get(line);
      return {name: line.name, style: style_of(line.index), xs: points.map(({middle}) => middle), ys: points.map(({loss}) => loss)};
    });
    this.plot.draw({series, x: {title: "tokens before it (logarithmic)", log: true, text: (value) => number(value, 3)}, y: {title: "loss per token (nats)", text: fixed}});
  }

  rows() {
    return [["configuration", "from", "to", "tokens", "loss"], ...this.report.visible().filter((line) => this.curves.has(line))
        .flatMap((line) => this.curves.get(line).map(({from, to, tokens, loss}) => [line.name, from, to, tokens, loss]))];
  }
}

/** The stretches of all seeds together. */
function stretches(line) {
  const found = new Map();
  for (const run of line.runs) {
    for (const stretch of list(run.evaluation?.by_position)) {
      if (!found.has(stretch.from)) found.set(stretch.from, []);
      found.get(stretch.from).push(stretch);
    }
  }
  return [...found.values()].map((parts) => {
    const {from, to} = parts[0];
    return {from, to, middle: Math.sqrt((from + 1) * (to + 1)), ...pooled(parts, "tokens", ["loss"])};
  }).filter(({loss}) => Number.isFinite(loss)).sort((a, b) => a.from - b.from);
}
