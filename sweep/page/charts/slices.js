// One small chart for each parameter: its values across, the objective upward.
import {element, svg, toggle} from "../../../page/dom.js";
import {number, value as shown} from "../../../page/format.js";
import {mark, marks} from "./marks.js";
import {Plot, sampled} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";
import {of_parameter} from "./parameter.js";

const kMost = 2000;

export class Slices {
  constructor(context) {
    this.context = context;
    this.log = false;
    this.plots = new Map();
    this.grid = element("div", {class: "slices"});
    this.node = element("div", {},
        element("div", {class: "controls"}, toggle("log value", false, (on) => { this.log = on; this.draw(); })), this.grid);
  }

  draw() {
    const {study} = this.context, parameters = study.parameters(), names = parameters.map(({name}) => name);
    if ([...this.plots.keys()].join("\n") !== names.join("\n")) {
      this.plots = new Map(names.map((name) =>
          [name, new Plot({label: `Slice of ${name}`, open: this.context.open_target, height: 200, margin: {left: 52, right: 10}})]));
      this.grid.replaceChildren(...[...this.plots].map(([, plot]) => plot.node));
    }
    if (parameters.length === 0) this.grid.textContent = "The study has no parameters yet.";
    for (const parameter of parameters) this.slice(parameter, this.plots.get(parameter.name));
  }

  slice(parameter, plot) {
    const {study, objective} = this.context, {name} = parameter;
    plot.begin();
    const trials = sampled(study.finished(objective).filter((trial) => name in trial.parameters), kMost);
    if (trials.length === 0) {
      plot.empty(`${name}: no trial yet`);
      return;
    }
    const x = of_parameter(parameter, trials, plot.left + 6, plot.right - 6);
    const y = continuous(...extent(trials.map((trial) => trial.values[objective]), this.log), plot.bottom - 6, plot.top + 4, this.log);
    plot.axes(x, y, name, study.metrics[objective]);
    const places = [], best = new Set(study.info.best);
    let best_marks = "";
    for (const trial of trials) {
      const at = {trial, x: x.at(trial.parameters[name]) + jitter(trial, x), y: y.at(trial.values[objective])};
      if (!Number.isFinite(at.x) || !Number.isFinite(at.y)) continue;
      places.push(at);
      if (best.has(trial.number)) best_marks += mark("WAITING", at.x, at.y, 6);
      plot.targets.push({...at, text: `trial ${trial.number}: ${shown(trial.parameters[name])} → ${number(trial.values[objective])}`});
    }
    plot.add(...marks(places, 2.6), svg("path", {class: "mark best-mark", d: best_marks}));
    plot.finish();
  }
}

/** Within a choice, so that its trials do not hide each other; the same each time. */
function jitter(trial, scale) {
  return scale.step ? (((trial.number * 0.618034) % 1) - 0.5) * scale.step * 0.6 : 0;
}
