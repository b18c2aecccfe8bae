// What every trial reported on its way.
import {element, say, svg, toggle} from "../../../page/dom.js";
import {kStates} from "../study.js";
import {number} from "../../../page/format.js";
import {badge, mark_class, marks, state_name} from "./marks.js";
import {sign} from "../../../page/charts/shapes.js";
import {Plot, sampled} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";

const kMost = 1500;

/** Draws the curves of `trials` into the plot; each ends in the mark of its state. */
export function draw_curves(plot, trials, {log_x, log_y, y_title, best = []}) {
  plot.begin();
  const steps = [], values = [];
  for (const {reports} of trials) {
    for (const [step, value] of reports) {
      steps.push(step);
      values.push(value);
    }
  }
  if (!values.some(Number.isFinite)) {
    plot.empty("Nothing was reported yet");
    return;
  }
  const [first, last] = extent(steps, log_x), [low, high] = extent(values, log_y);
  const x = continuous(log_x ? first : Math.min(first, 0), last, plot.left, plot.right, log_x);
  const y = continuous(low, high, plot.bottom, plot.top, log_y);
  plot.axes(x, y, "step", y_title);

  const lines = new Map(), ends = [];
  for (const trial of trials) {
    const d = line(trial.reports, x, y, plot.targets, trial), end = plot.targets[plot.targets.length - 1];
    if (end?.trial === trial) ends.push(end);
    if (d) lines.set(trial.state, (lines.get(trial.state) ?? "") + d);
  }
  // Those that still run are drawn last, on top.
  for (const state of ["FAIL", "PRUNED", "COMPLETE", "WAITING", "PAUSED", "RUNNING"]) {
    if (lines.has(state)) plot.add(svg("path", {class: `line ${mark_class(state)}`, d: lines.get(state)}));
  }
  plot.add(...marks(ends, 2.8));
  for (const trial of trials) {
    if (best.includes(trial.number)) plot.add(svg("path", {class: "best-line", d: line(trial.reports, x, y, [], trial)}));
  }
  plot.finish();
}

/** A path with a gap wherever a report is not finite; a lone report is a dot. */
function line(reports, x, y, targets, trial) {
  let d = "", pen = "M";
  const outline = () => line(reports, x, y, [], trial);
  for (const [step, value] of reports) {
    const at_x = x.at(step), at_y = y.at(value);
    if (!Number.isFinite(at_x) || !Number.isFinite(at_y)) {
      pen = "M";
      continue;
    }
    d += `${pen}${at_x.toFixed(1)} ${at_y.toFixed(1)}${pen === "M" ? "h0" : ""}`;
    pen = "L";
    targets.push({x: at_x, y: at_y, trial, outline,
                  text: () => `trial ${trial.number} (${state_name(trial.state)}): ${number(value)} at step ${number(step)}`});
  }
  return d;
}

export class Curves {
  constructor(context) {
    this.context = context;
    this.log_x = false;
    this.log_y = false;
    this.plot = new Plot({label: "Learning curves of the trials", open: context.open_target, height: 320});
    this.note = element("p", {class: "note"});
    const redraw = () => this.draw();
    this.node = element("div", {},
        element("div", {class: "controls"},
                toggle("log value", false, (on) => { this.log_y = on; redraw(); }),
                toggle("log step", false, (on) => { this.log_x = on; redraw(); })),
        this.plot.node,
        element("p", {class: "legend"}, sign("best-line", "M0 3C3 9 8 9 12 9", "best"),
                ...kStates.filter((state) => state !== "WAITING").map(badge)),
        this.note);
  }

  draw() {
    const {study} = this.context;
    const reporting = study.trials.filter((trial) => trial.reports.length > 0);
    // A sample of a large study always holds those that run and the best.
    const kept = new Set(sampled(reporting, kMost));
    if (kept.size < reporting.length) {
      for (const trial of reporting) if (trial.state === "RUNNING") kept.add(trial);
      for (const best of study.info.best ?? []) {
        const trial = study.trial(best);
        if (trial?.reports.length) kept.add(trial);
      }
    }
    const lost = reporting.reduce((sum, trial) => sum + trial.reports.filter(([, v]) => !Number.isFinite(v)).length, 0);
    say(this.note, [
      kept.size < reporting.length ? `${kept.size.toLocaleString("en")} of ${reporting.length.toLocaleString("en")} curves are drawn.` : "",
      lost ? `${lost} reports are nan or infinite: gaps in their curves.` : "",
    ].filter(Boolean).join(" "));
    draw_curves(this.plot, [...kept], {log_x: this.log_x, log_y: this.log_y, y_title: study.metrics[0], best: study.info.best});
  }
}
