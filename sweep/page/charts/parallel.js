// Every trial as a line through its parameters and its value. Dragging along an axis (or arrow keys on it) keeps the
// trials that pass there; a parameter that a trial does not have is passed below the axis.
import {button, element, say, svg} from "../../../page/dom.js";
import {count, number, value as shown} from "../../../page/format.js";
import {Plot, sampled, shortened} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";
import {of_parameter} from "./parameter.js";
import {kShades} from "../../../page/charts/ramp.js";
import {shade_legend, shades} from "./shades.js";

const kMost = 2000;
const kAxisRoom = 104;  // pixels; where there are fewer, the chart scrolls within itself

export class Parallel {
  constructor(context) {
    this.context = context;
    this.brushes = new Map();  // name of the axis → [upper, lower] in pixels
    this.nodes = new Map();    // name of the axis → what is taken hold of
    this.plot = new Plot({label: "Parallel coordinates", open: context.open_target, height: 340,
                          margin: {left: 40, right: 70, top: 34, bottom: 34}});
    this.note = element("span", {role: "status"});
    this.clear = button("clear brushes", () => { this.brushes.clear(); this.draw(); }, {hidden: true});
    this.legend = element("div");
    this.node = element("div", {},
        element("div", {class: "controls"}, this.note, this.clear),
        element("div", {class: "scroll"}, this.plot.node), this.legend,
        element("p", {class: "note"}, "Drag along an axis to keep the trials that pass there, or move to it with Tab and use the arrow keys; ",
                "Escape takes the brush away. Below the dashed line: trials without that parameter."));
  }

  draw() {
    const {study, objective} = this.context, {plot} = this, parameters = study.parameters();
    plot.stage.style.minWidth = `${(parameters.length + 1) * kAxisRoom}px`;
    plot.begin();
    this.legend.replaceChildren();
    const all = study.finished(objective), trials = sampled(all, kMost);
    if (trials.length === 0) {
      this.axes = [];
      this.handles();
      plot.empty("No trial is complete yet");
      return;
    }
    this.axes = this.make_axes(parameters, trials);
    this.shading = shades(trials.map((trial) => trial.values[objective]), study.maximizes(objective));
    this.lines = trials.map((trial) => ({trial, ys: this.axes.map((axis) => axis.y(trial)), shade: this.shading.of(trial.values[objective])}));
    this.partial = trials.length < all.length ? `a sample of ${count(all.length, "trial")}` : "";
    this.paths = svg("g");
    plot.add(this.paths);
    for (const axis of this.axes) this.draw_axis(axis);
    this.handles();
    const legend = shade_legend(study.metrics[objective]);
    legend.say(this.shading);
    this.legend.append(legend.node);
    this.sift();
  }

  make_axes(parameters, trials) {
    const {study, objective} = this.context, {plot} = this, low = plot.bottom - 26;
    const at = (i) => plot.left + ((plot.right - plot.left) * i) / Math.max(1, parameters.length);
    const axes = parameters.map((parameter, i) => {
      const scale = of_parameter(parameter, trials, low, plot.top), {name} = parameter;
      const missing = trials.some((trial) => !(name in trial.parameters));
      return {name, title: name, x: at(i), scale, missing, low,
              y: (trial) => (name in trial.parameters ? scale.at(trial.parameters[name]) : plot.bottom - 6),
              text: (trial) => (name in trial.parameters ? shown(trial.parameters[name]) : "none")};
    });
    const scale = continuous(...extent(trials.map((trial) => trial.values[objective])), low, plot.top);
    axes.push({name: " value", title: study.metrics[objective], x: at(parameters.length), scale, missing: false, low,
               y: (trial) => scale.at(trial.values[objective]), text: (trial) => number(trial.values[objective])});
    return axes;
  }

  draw_axis({title, x, scale, missing, low}) {
    const {plot} = this;
    plot.add(svg("path", {class: "axis", d: `M${x} ${plot.top}V${low}`}));
    if (missing) plot.add(svg("path", {class: "axis missing", d: `M${x - 14} ${low + 9}h28`}));
    plot.add(svg("text", {class: "axis-title", x, y: 14, "text-anchor": "middle"}, shortened(title, 15), svg("title", {}, title)));
    for (const {at, text} of scale.ticks(46)) {
      plot.add(svg("path", {class: "axis", d: `M${x} ${at.toFixed(1)}h4`}),
               svg("text", {class: "tick halo", x: x + 7, y: at + 4}, shortened(text, 10)));
    }
  }

  /** What is taken hold of: an element of its own on each axis, since a chart as a whole has to scroll on a phone. */
  handles() {
    const {plot, nodes} = this, names = this.axes.map(({name}) => name);
    for (const [name, node] of nodes) {
      if (names.includes(name)) continue;
      node.remove();
      nodes.delete(name);
    }
    for (const axis of this.axes) {
      if (!nodes.has(axis.name)) nodes.set(axis.name, this.handle(axis.name));
      const node = nodes.get(axis.name);
      node.setAttribute("aria-label", `Brush of ${axis.title}`);
      node.style.left = `${axis.x - 14}px`;
      node.style.top = `${plot.top - 6}px`;
      node.style.height = `${plot.bottom - plot.top + 12}px`;
    }
  }

  handle(name) {
    const node = element("div", {class: "brush", tabindex: 0, role: "slider", "aria-orientation": "vertical",
                                 "aria-valuemin": 0, "aria-valuemax": 100});
    this.plot.stage.append(node);
    const height = (event) => event.clientY - this.plot.stage.getBoundingClientRect().top;
    let from = null;
    node.addEventListener("pointerdown", (event) => {
      from = height(event);
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const to = height(event);
      if (Math.abs(to - from) > 3) this.brush(name, [Math.min(from, to), Math.max(from, to)]);
      event.stopPropagation();
    });
    node.addEventListener("pointerup", (event) => {
      if (from !== null && Math.abs(height(event) - from) <= 3) this.brush(name, null);
      from = null;
    });
    node.addEventListener("pointercancel", () => { from = null; });
    node.addEventListener("click", (event) => event.stopPropagation());
    node.addEventListener("keydown", (event) => this.key(name, event));
    return node;
  }

  key(name, event) {
    const {low, missing} = this.axes.find((axis) => axis.name === name), {top, bottom} = this.plot;
    const end = missing ? bottom : low, size = (end - top) / 8, now = this.brushes.get(name);
    if (event.key === "Escape" || event.key === "Delete") {
      this.brush(name, null);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const begin = now ? now[0] + (event.key === "ArrowUp" ? -size / 2 : size / 2) : event.key === "ArrowUp" ? end - size : top;
      const upper = Math.max(top - 1, Math.min(begin, end - size + 1));
      this.brush(name, [upper, upper + size]);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  brush(name, range) {
    if (range) this.brushes.set(name, range);
    else this.brushes.delete(name);
    this.sift();
  }

  /** The lines within all brushes in their shades, the others faintly. */
  sift() {
    const {plot} = this, brushes = this.axes.map(({name}) => this.brushes.get(name));
    const within = ({ys}) => brushes.every((range, i) => !range || (ys[i] >= range[0] && ys[i] <= range[1]));
    const kept = this.lines.filter(within), some = kept.length < this.lines.length;
    const d = ({ys}) => "M" + ys.flatMap((y, i) => (Number.isFinite(y) ? [`${this.axes[i].x.toFixed(1)} ${y.toFixed(1)}`] : [])).join("L");
    const paths = some ? [svg("path", {class: "line dim", d: this.lines.filter((line) => !within(line)).map(d).join("")})] : [];
    for (let shade = kShades - 1; shade >= 0; --shade) {  // the best on top
      paths.push(svg("path", {class: `line shade-${shade}`, d: kept.filter((line) => line.shade === shade).map(d).join("")}));
    }
    for (const [i, range] of brushes.entries()) {
      if (range) paths.push(svg("rect", {class: "brushed", x: this.axes[i].x - 8, width: 16, y: range[0], height: range[1] - range[0]}));
      const node = this.nodes.get(this.axes[i].name);
      node.setAttribute("aria-valuenow", range ? Math.round((100 * (plot.bottom - range[1])) / (plot.bottom - plot.top)) : 0);
      node.setAttribute("aria-valuetext", range ? `${count(kept.length, "trial")} kept` : "no brush");
    }
    this.paths.replaceChildren(...paths);
    this.clear.hidden = !some && this.brushes.size === 0;
    say(this.note, `${some ? `${kept.length} of ` : ""}${count(this.lines.length, "trial")}${this.partial ? `, ${this.partial}` : ""}`);
    plot.targets = kept.flatMap((line) => line.ys.map((y, i) => ({
      trial: line.trial, x: this.axes[i].x, y, outline: () => d(line),
      text: () => `trial ${line.trial.number}: ${this.axes[i].title} ${this.axes[i].text(line.trial)}, value ${number(line.trial.values[this.context.objective])}`,
    })));
    plot.reach = 40;
    plot.finish();
  }
}
