// How the best value came down (or up), with the value of every trial.
import {element, say, svg, toggle} from "../../../page/dom.js";
import {number} from "../../../page/format.js";
import {mark, marks} from "./marks.js";
import {sign} from "../../../page/charts/shapes.js";
import {Plot} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";

const kMost = 3000;

export class BestHistory {
  constructor(context) {
    this.context = context;
    this.log = false;
    this.plot = new Plot({label: "Value of each trial, and the best so far", open: context.open_target, height: 320});
    this.note = element("p", {class: "note"});
    this.node = element("div", {},
        element("div", {class: "controls"}, toggle("log value", false, (on) => { this.log = on; this.draw(); })),
        this.plot.node,
        element("p", {class: "legend"},
                sign("mark COMPLETE", mark("COMPLETE", 6, 6, 4), "a trial"),
                sign("best-line", "M0 2H6V9H12", "best so far")),
        this.note);
  }

  draw() {
    const {study, objective} = this.context, {plot} = this;
    plot.begin();
    const history = study.history(objective);
    const infinite = study.trials.filter(({state, values}) => state === "COMPLETE" && !Number.isFinite(values[objective])).length;
    say(this.note, [infinite ? `${infinite} complete trials have no finite value.` : "",
                    history.length > kMost ? "Of so many trials only some are drawn, and all that were the best." : ""].join(" "));
    if (history.length === 0) {
      plot.empty("No trial is complete yet");
      return;
    }
    const [low, high] = extent(history.map((point) => point.value), this.log);
    const x = continuous(0, Math.max(1, history.length), plot.left, plot.right);
    const y = continuous(low, high, plot.bottom - 6, plot.top + 6, this.log);
    plot.axes(x, y, "trials complete", study.metrics[objective]);
    const places = [];
    let line = "";
    const every = Math.ceil(history.length / kMost);
    history.forEach(({trial, value, best, improves}, i) => {
      if (!improves && i % every !== 0) return;
      const at = {trial, x: x.at(i + 1), y: y.at(value)};
      if (Number.isFinite(y.at(best))) line += line ? `H${at.x.toFixed(1)}V${y.at(best).toFixed(1)}` : `M${at.x.toFixed(1)} ${y.at(best).toFixed(1)}`;
      if (!Number.isFinite(at.y)) return;
      places.push(at);
      plot.targets.push({...at, text: `trial ${trial.number}: ${number(value)}${improves ? ", the best then" : ""}`});
    });
    if (line) line += `H${plot.right}`;
    plot.add(...marks(places, 3), svg("path", {class: "best-line", d: line}));
    plot.finish();
  }
}
