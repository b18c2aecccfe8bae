// Shares of bins: two beside each other, the one filled, the other an outline with marks.
import {svg} from "../../../page/dom.js";
import {number} from "../../../page/format.js";
import {Plot, shortened} from "../../../page/charts/plot.js";
import {continuous} from "../../../page/charts/scale.js";
import {kShapes} from "../../../page/charts/shapes.js";
import {percent} from "../words.js";

export class BarPlot extends Plot {
  constructor({label, height = 260}) {
    super({label, height, margin: {left: 50, bottom: 48}});
  }

  /** bins: texts, numbers where they are the limits of continuous bins (then one more than shares); shares from 0 to 1. */
  draw({bins, x_title, filled, outlined}) {
    this.begin();
    const n = Math.max(filled.shares.length, outlined.shares.length);
    const most = Math.max(1e-9, ...filled.shares.filter(Number.isFinite), ...outlined.shares.filter(Number.isFinite));
    if (n === 0) {
      this.empty("Nothing to show");
      return;
    }
    const y = continuous(0, most * 1.05, this.bottom, this.top), step = (this.right - this.left) / n;
    for (const {at, value} of y.ticks(40)) {
      this.add(svg("path", {class: "grid", d: `M${this.left} ${at.toFixed(1)}H${this.right}`}),
               svg("text", {class: "tick", x: this.left - 6, y: at + 4, "text-anchor": "end"}, `${number(100 * value)} %`));
    }
    const limits = bins.length === n + 1, name = (i) => (limits ? `${label(bins[i])} to ${label(bins[i + 1])}` : label(bins[i]));
    const widest = Math.max(...bins.map((bin) => label(bin).length)) * 6.4 + 8, every = Math.max(1, Math.ceil(widest / step));
    bins.forEach((bin, i) => {
      if (i % every) return;
      this.add(svg("text", {class: "tick", x: this.left + (limits ? i : i + 0.5) * step, y: this.bottom + 15, "text-anchor": "middle"}, shortened(label(bin), 12)));
    });
    let bars = "", outline = "", marks = "";
    for (let i = 0; i < n; ++i) {
      const left = this.left + i * step, inner = Math.max(1, step * 0.86), x = left + (step - inner) / 2;
      const [a, b] = [filled.shares[i] ?? 0, outlined.shares[i] ?? 0];
      if (a > 0) bars += `M${x.toFixed(1)} ${this.bottom}V${y.at(a).toFixed(1)}h${inner.toFixed(1)}V${this.bottom}z`;
      outline += `${i ? "L" : "M"}${left.toFixed(1)} ${y.at(b).toFixed(1)}h${step.toFixed(1)}`;
      if (step > 9 && b > 0) marks += kShapes.circle(left + step / 2, y.at(b), 3);
      this.targets.push({x: left + step / 2, y: y.at(Math.max(a, b)), text: `${name(i)}\n${outlined.name}: ${percent(b)}\n${filled.name}: ${percent(a)}`});
    }
    this.add(svg("path", {class: "bar-reference", d: bars}), svg("path", {class: "curve hue-0", d: outline}), svg("path", {class: "point hue-0", d: marks}),
             svg("path", {class: "axis", d: `M${this.left} ${this.top}V${this.bottom}H${this.right}`}),
             svg("text", {class: "axis-title", x: (this.left + this.right) / 2, y: this.height - 6, "text-anchor": "middle"},
                 shortened(x_title, Math.floor((this.right - this.left) / 6.6))));
    this.reach = Math.max(40, step);
    this.finish();
  }

  /** The bin below the pointer, however far above its bars that is. */
  point(event) {
    const box = this.stage.getBoundingClientRect(), x = ((event.clientX - box.left) * this.width) / box.width;
    if (!this.targets.length || x < this.left || x > this.right) { this.choose(-1); return; }
    this.choose(Math.min(this.targets.length - 1, Math.floor(((x - this.left) / (this.right - this.left)) * this.targets.length)));
  }
}

function label(bin) {
  return typeof bin === "number" ? number(bin, 3) : String(bin);
}
