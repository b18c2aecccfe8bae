// The objective over two parameters: between the trials by inverse distance weights (Shepard, 1968).
import {choice, element, say, set_options, svg} from "../../../page/dom.js";
import {key_of, number, value as shown} from "../../../page/format.js";
import {mark} from "./marks.js";
import {sign} from "../../../page/charts/shapes.js";
import {Plot, sampled} from "../../../page/charts/plot.js";
import {of_parameter} from "./parameter.js";
import {kShades} from "../../../page/charts/ramp.js";
import {shade_legend, shades} from "./shades.js";

const kMost = 600;
const kCells = 40;

export class Contour {
  constructor(context) {
    this.context = context;
    this.names = [null, null];
    this.choices = ["across", "up"].map((label, i) => choice(label, [], -1, (chosen) => {
      this.names[i] = this.context.study.parameters()[chosen].name;
      this.draw();
    }));
    this.plot = new Plot({label: "Objective over two parameters", open: context.open_target, height: 340});
    this.legend = element("div");
    this.note = element("p", {class: "note"});
    this.node = element("div", {}, element("div", {class: "controls"}, ...this.choices.map(({node}) => node)), this.plot.node,
                        this.legend, this.note);
  }

  draw() {
    const {study, objective} = this.context, {plot} = this, parameters = study.parameters();
    plot.begin();
    this.legend.replaceChildren();
    if (parameters.length < 2) {
      plot.empty("Takes two parameters");
      return;
    }
    const names = parameters.map(({name}) => name);
    // Until some are chosen: numbers, since between choices there is nothing.
    const first = [...parameters].sort((a, b) => (a.kind === "category") - (b.kind === "category"));
    const [across, up] = this.names.map((name, i) => parameters[names.indexOf(name)] ?? first[i]);
    this.choices.forEach(({select}, i) => set_options(select, names, names.indexOf([across, up][i].name)));
    const all = study.finished(objective).filter(({parameters: has}) => across.name in has && up.name in has);
    const trials = sampled(all, kMost);
    say(this.note, trials.length < all.length ? `Drawn from ${trials.length} of ${all.length} trials.` : "");
    if (trials.length === 0) {
      plot.empty("No complete trial has both");
      return;
    }
    const x = of_parameter(across, trials, plot.left, plot.right), y = of_parameter(up, trials, plot.bottom, plot.top);
    const shading = shades(trials.map((trial) => trial.values[objective]), study.maximizes(objective));
    const points = trials.map((trial) => {
      const [a, b] = [trial.parameters[across.name], trial.parameters[up.name]];
      return {trial, x: x.at(a), y: y.at(b), a: key_of(a), b: key_of(b), value: trial.values[objective]};
    }).filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
    plot.add(...heat(points, x, y, shading));
    plot.axes(x, y, across.name, up.name);
    const best = new Set(study.info.best);
    for (const [kind, chosen] of [["mark dot", false], ["mark best-mark", true]]) {
      const group = points.filter(({trial}) => best.has(trial.number) === chosen);
      plot.add(svg("path", {class: kind, d: group.map((point) => mark(chosen ? "WAITING" : "COMPLETE", point.x, point.y, chosen ? 6 : 2)).join("")}));
    }
    plot.targets = points.map(({trial, x: at_x, y: at_y, value}) => ({trial, x: at_x, y: at_y, text: `trial ${trial.number}: ` +
        `${shown(trial.parameters[across.name])}, ${shown(trial.parameters[up.name])} → ${number(value)}`}));
    const legend = shade_legend(study.metrics[objective]);
    legend.say(shading);
    this.legend.append(legend.node, element("p", {class: "legend"}, sign("mark best-mark", mark("WAITING", 6, 6, 5), "best"),
                                            sign("mark dot", mark("COMPLETE", 6, 6, 2), "a trial")));
    plot.finish();
  }
}

/** The bands of cells along an axis: [middle, begin, end, only for points of this choice]. */
function bands(scale) {
  if (scale.step) {
    return scale.ticks().map(({value, at}) => ({at, from: at - scale.step / 2, size: scale.step, key: key_of(value)}));
  }
  const size = (scale.end - scale.begin) / kCells;
  return Array.from({length: kCells}, (_, i) => {
    const from = scale.begin + i * size;
    return {at: from + size / 2, from: Math.min(from, from + size), size: Math.abs(size), key: null};
  });
}

/** One path for each shade. */
function heat(points, x, y, shading) {
  const cells = Array.from({length: kShades}, () => "");
  const rows = bands(y);
  for (const column of bands(x)) {
    const near = column.key === null ? points : points.filter((point) => point.a === column.key);
    for (const row of rows) {
      let sum = 0, weights = 0;
      for (const point of near) {
        if (row.key !== null && row.key !== point.b) continue;
        const dx = column.key === null ? point.x - column.at : 0, dy = row.key === null ? point.y - row.at : 0;
        const weight = 1 / (dx * dx + dy * dy + 9) ** 1.5;  // a point is some pixels wide
        sum += weight * point.value;
        weights += weight;
      }
      if (weights === 0) continue;
      cells[shading.of(sum / weights)] += `M${column.from.toFixed(1)} ${row.from.toFixed(1)}h${(column.size + 0.3).toFixed(1)}` +
          `v${(row.size + 0.3).toFixed(1)}h${(-column.size - 0.3).toFixed(1)}z`;
    }
  }
  return cells.map((d, shade) => svg("path", {class: `fill shade-${shade}`, d}));
}
