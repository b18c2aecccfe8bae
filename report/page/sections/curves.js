// How the loss came down: while training, and on pieces that were not learned from.
import {choice, element, say, toggle} from "../../../page/dom.js";
import {duration, number, number_of} from "../../../page/format.js";
import {LinePlot} from "../charts/lines.js";
import {style_of} from "../charts/styles.js";
import {figure} from "../figure.js";
import {Legend} from "../legend.js";
import {list} from "../report.js";
import {fixed, large} from "../words.js";

const kAcross = [["step", "steps", number], ["tokens", "tokens learned from", large], ["seconds", "training time", duration],
                 ["flops", "floating-point operations", large]];
const kUp = [["evaluation", "loss_per_note", "evaluation loss per note"], ["evaluation", "loss", "evaluation loss per token"], ["train", "loss", "training loss per token"]];

export class Curves {
  constructor(report) {
    this.report = report;
    const runs = report.runs;
    this.across = kAcross.filter(([key]) => runs.some((run) => ["train", "evaluation"].some((of) => list(run.curves?.[of]?.[key]).length > 0)));
    this.up = kUp.filter(([of, key]) => runs.some((run) => list(run.curves?.[of]?.[key]).length > 0));
    if (!this.relevant) return;
    this.x = 0;
    this.y = Math.max(0, this.up.findIndex(([, key]) => key === report.metric.name));
    this.log = {x: false, y: false};
    this.smoothing = 0.6;
    this.plot = new LinePlot({label: "Learning curves", drawn: () => this.draw()});
    const redraw = () => this.draw(), turned = () => { this.plot.zoom = null; this.draw(); };
    const value = element("output", {}, String(this.smoothing));
    const slider = element("input", {type: "range", min: 0, max: 0.99, step: 0.01, value: this.smoothing, "aria-label": "Smoothing of the training loss",
                                     on: {input: () => { this.smoothing = Number(slider.value); say(value, slider.value); redraw(); }}});
    this.smooth = element("label", {class: "choice smoothing"}, element("span", {}, "smoothing"), slider, value);
    this.reset = element("button", {type: "button", on: {click: () => this.plot.zoom_to(null)}}, "Show all of it");
    const controls = [
      choice("what", this.up.map(([, , words]) => words), this.y, (i) => { this.y = i; turned(); }, {class: "what"}).node,
      choice("over", this.across.map(([, words]) => words), this.x, (i) => { this.x = i; turned(); }, {class: "over"}).node,
      toggle("log loss", false, (on) => { this.log.y = on; turned(); }), toggle("log across", false, (on) => { this.log.x = on; turned(); }),
      this.smooth, this.reset];
    this.legend = new Legend(report, (line) => line.runs.some((run) => this.up.some(([of, key]) => list(run.curves?.[of]?.[key]).length > 0)));
    this.note = element("p", {class: "note"});
    this.node = figure({headed: false, title: "Learning curves", plot: this.plot, controls, after: [this.legend.node, this.note], csv: () => this.rows(),
                        explain: "Drag across the figure to look closer, double-click to see all. Seeds of one configuration have the same colour."});
  }

  get relevant() { return this.up.length > 0 && this.across.length > 0; }

  series() {
    const [of, key] = this.up[this.y], [across] = this.across[this.x], found = [];
    for (const line of this.report.visible()) {
      line.runs.forEach((run, seed) => {
        const curve = run.curves?.[of], xs = list(curve?.[across]).map(number_of), raw = list(curve?.[key]).map(number_of);
        if (xs.length === 0 || raw.length === 0) return;
        const smooth = of === "train" && this.smoothing > 0;
        found.push({name: line.runs.length > 1 ? `${line.name}, seed ${run.seed ?? seed + 1}` : line.name, label: line.name, style: style_of(line.index), thin: seed > 0,
                    xs, ys: smooth ? smoothed(raw, this.smoothing) : raw, faint: smooth ? raw : null});
      });
    }
    return found;
  }

  draw() {
    if (!this.relevant) return;
    const [of, key, words] = this.up[this.y], [, across, show] = this.across[this.x];
    this.smooth.hidden = of !== "train";
    this.reset.disabled = !this.plot.zoom;
    const series = this.series(), lacking = this.report.visible().filter((line) => !line.runs.some((run) => list(run.curves?.[of]?.[key]).length));
    this.plot.draw({series, x: {title: across, log: this.log.x, low: this.log.x ? NaN : 0, text: show}, y: {title: `${words} (nats)`, log: this.log.y, text: fixed}});
    say(this.note, lacking.length && lacking.length <= 5 ? `Nothing of this kind is known of ${lacking.map(({name}) => name).join(", ")}.` : "");
  }

  rows() {
    const [, key] = this.up[this.y], [across] = this.across[this.x];
    return [["run", across, key], ...this.series().flatMap(({name, xs, ys}) => xs.map((x, i) => [name, x, ys[i]]))];
  }
}

/** Exponential moving average without a bias towards the beginning (Kingma and Ba, 2015, section 3). */
export function smoothed(values, weight) {
  let mean = 0, sum = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return NaN;
    mean = weight * mean + (1 - weight) * value;
    sum = weight * sum + (1 - weight);
    return mean / sum;
  });
}
