// Two objectives against each other, the trials that no other one beats in all objectives linked by a line.
import {choice, element, set_options, svg} from "../../../page/dom.js";
import {number} from "../../../page/format.js";
import {mark} from "./marks.js";
import {sign} from "../../../page/charts/shapes.js";
import {Plot} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";

export class Pareto {
  constructor(context) {
    this.context = context;
    this.axes = [0, 1];
    this.plot = new Plot({label: "Pareto front", open: context.open_target, height: 340});
    this.choices = ["across", "up"].map((label, i) =>
        choice(label, [], -1, (chosen) => { this.axes[i] = chosen; this.draw(); }));
    this.node = element("div", {},
        element("div", {class: "controls"}, ...this.choices.map(({node}) => node)),
        this.plot.node,
        element("p", {class: "legend"},
                sign("mark best-mark", mark("WAITING", 6, 6, 5), "on the front"),
                sign("mark COMPLETE", mark("COMPLETE", 6, 6, 3.5), "beaten by another")));
  }

  get relevant() { return this.context.study.directions.length > 1; }

  draw() {
    const {study} = this.context, {plot} = this, [a, b] = this.axes;
    this.choices.forEach(({select}, i) => set_options(select, study.metrics, this.axes[i]));
    plot.begin();
    const trials = study.finished(a).filter((trial) => Number.isFinite(trial.values[b]));
    if (trials.length === 0) {
      plot.empty("No trial is complete yet");
      return;
    }
    const best = new Set(study.info.best);
    const x = continuous(...extent(trials.map((trial) => trial.values[a])), plot.left + 8, plot.right - 8);
    const y = continuous(...extent(trials.map((trial) => trial.values[b])), plot.bottom - 8, plot.top + 8);
    plot.axes(x, y, titled(study, a), titled(study, b));
    let others = "", front = [];
    for (const trial of trials) {
      const at = {trial, x: x.at(trial.values[a]), y: y.at(trial.values[b])};
      if (best.has(trial.number)) front.push(at);
      else others += mark("COMPLETE", at.x, at.y, 3);
      plot.targets.push({...at, text: `trial ${trial.number}${best.has(trial.number) ? ", on the front" : ""}: ` +
          study.metrics.map((metric, i) => `${metric} ${number(trial.values[i])}`).join(", ")});
    }
    front.sort((p, q) => p.x - q.x);
    plot.add(svg("path", {class: "mark COMPLETE", d: others}));
    if (study.directions.length === 2) {
      plot.add(svg("path", {class: "best-line", d: front.map((p, i) => `${i ? "L" : "M"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("")}));
    }
    plot.add(svg("path", {class: "mark best-mark", d: front.map((p) => mark("WAITING", p.x, p.y, 5)).join("")}));
    plot.finish();
  }
}

function titled(study, i) {
  return `${study.metrics[i]} (${study.maximizes(i) ? "more" : "less"} is better)`;
}
