// Rows of points with intervals: a forest plot, results by family, rates of preference.
import {svg} from "../../../page/dom.js";
import {Plot, shortened} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";
import {mark_class, mark_path} from "./styles.js";

const kNarrow = 620;      // below which names stand above their rows
const kLongName = 42;    // from which too

export class RowPlot extends Plot {
  constructor({label}) {
    super({label, height: 80, margin: {bottom: 42, top: 6}});
  }

  /**
   * rows: [{name, note, points: [{value, low, high, style, hollow, text}], small: further values, lightly}]; x: {title, text(value), mark: a value that is
   * marked by a line, mark_words: [left of it, right of it], low, high: what the axis covers at least}.
   */
  draw({rows, x}) {
    const width = this.stage.clientWidth || 800, narrow = width < kNarrow || rows.some(({name}) => name.length > kLongName);
    const each = Math.max(...rows.map(({points}) => points.length), 1), room = Math.max(each > 1 ? 10 * each + 8 : 22, 22) + (narrow ? 16 : 0);
    const noted = width >= kNarrow && rows.some(({note}) => note);
    this.height = 54 + (x.mark_words ? 18 : 0) + room * rows.length;
    this.margin.top = x.mark_words ? 24 : 6;
    this.margin.left = narrow ? 20 : Math.min(300, Math.max(90, 7 * Math.max(...rows.map(({name}) => Math.min(40, name.length))) + 16));
    this.margin.right = noted ? 130 : 20;
    this.stage.style.minHeight = `${this.height}px`;
    this.begin();
    const values = rows.flatMap(({points, small = []}) => [...small, ...points.flatMap(({value, low, high}) => [value, low ?? NaN, high ?? NaN])]);
    const [low, high] = extent([...values, x.mark ?? NaN, x.low ?? NaN, x.high ?? NaN]);
    const spare = (high - low) * 0.03;
    const scale = continuous(low - (x.low === low ? 0 : spare), high + (x.high === high ? 0 : spare), this.left, this.right);
    this.across(scale, x, narrow);
    rows.forEach((row, i) => this.row(row, this.top + i * room, room, scale, narrow, noted));
    this.reach = Math.max(18, room / 2);
    this.finish();
  }

  across(scale, x, narrow) {
    let d = "", last = -Infinity;
    for (const {at, value, text} of scale.ticks(80)) {
      if (at - last < 40) continue;
      last = at;
      d += `M${at.toFixed(1)} ${this.top}V${this.bottom}`;
      this.add(svg("text", {class: "tick", x: at, y: this.bottom + 15, "text-anchor": "middle"}, x.text ? x.text(value) : text));
    }
    this.base.prepend(svg("path", {class: "grid", d}));
    if (Number.isFinite(x.mark)) {
      const at = scale.at(x.mark);
      this.add(svg("path", {class: "zero", d: `M${at.toFixed(1)} ${this.top - 4}V${this.bottom}`}));
      if (x.mark_words) {
        // Beside the line, or at both ends where there may be no room for them beside it.
        this.add(svg("text", {class: "tick", x: narrow ? this.left : at - 8, y: this.top - 8, "text-anchor": narrow ? "start" : "end"}, `← ${x.mark_words[0]}`),
                 svg("text", {class: "tick", x: narrow ? this.right : at + 8, y: this.top - 8, "text-anchor": narrow ? "end" : "start"}, `${x.mark_words[1]} →`));
      }
    }
    this.add(svg("path", {class: "axis", d: `M${this.left} ${this.bottom}H${this.right}`}),
             svg("text", {class: "axis-title", x: (this.left + this.right) / 2, y: this.height - 6, "text-anchor": "middle"},
                 shortened(x.title, Math.floor((this.right - this.left + 60) / 7))));
  }

  row({name, note, points, small = []}, top, room, scale, narrow, noted) {
    const first = top + (narrow ? 16 : 0), middle = first + (room - (narrow ? 16 : 0)) / 2;
    const most = Math.floor((narrow ? this.width - 20 : this.left - 14) / 6.6);
    this.add(svg("path", {class: "row-line", d: `M${narrow ? 0 : this.left} ${top}H${this.right}`}),
             svg("text", {class: "row-name", x: narrow ? 4 : this.left - 8, y: narrow ? top + 13 : middle + 4, "text-anchor": narrow ? "start" : "end"},
                 narrow && note && !noted ? `${shortened(name, Math.max(8, most - note.length - 3))} – ${note}` : shortened(name, most), svg("title", {}, name)));
    if (noted && note) this.add(svg("text", {class: "row-note", x: this.right + 10, y: middle + 4}, shortened(note, 18), svg("title", {}, note)));
    if (small.length) this.add(svg("path", {class: "seed", d: small.map((value) => `M${scale.at(value).toFixed(1)} ${middle - 7}v14`).join("")}));
    points.forEach(({value, low, high, style, hollow, text}, i) => {
      if (!Number.isFinite(value)) return;
      const y = middle + (i - (points.length - 1) / 2) * 10, x = scale.at(value);
      if (Number.isFinite(low) && Number.isFinite(high)) {
        const [a, b] = [scale.at(low), scale.at(high)];
        this.add(svg("path", {class: `whisker ${style.colour}`, d: `M${a.toFixed(1)} ${y - 4}v8m0 -4H${b.toFixed(1)}m0 -4v8`}));
      }
      this.add(svg("path", {class: mark_class(style, hollow), d: mark_path(style, x, y, 4.5)}));
      this.targets.push({x, y, text});
    });
  }
}
