// Lines over a continuum: to read with the pointer or the arrow keys, to zoom by dragging, to tell apart without colour.
import {svg} from "../../../page/dom.js";
import {number} from "../../../page/format.js";
import {Plot, shortened} from "../../../page/charts/plot.js";
import {continuous, extent} from "../../../page/charts/scale.js";
import {mark_class, mark_path} from "./styles.js";

const kLabelRoom = 176;   // pixels for names at the ends of lines
const kLabelLong = 21;    // letters that have room in them
const kWide = 640;        // from which there is room for them
const kMostLabels = 12;
const kMarksEach = 7;     // along a line
const kMark = 3.6;        // how far a mark reaches around its point
const kListed = 10;       // lines that are told of at once
let clips = 0;

export class LinePlot extends Plot {
  /** `drawn()` is called where the zoom has changed, to draw again. */
  constructor({label, height = 360, drawn}) {
    super({label, height, margin: {top: 12}});
    this.drawn = drawn;
    this.zoom = null;  // {x: [low, high], y: [low, high] or null}
    this.clip = `clip-${++clips}`;
    this.stage.classList.add("zooming");
    this.stage.addEventListener("pointerdown", (event) => this.press(event));
    this.stage.addEventListener("pointerup", (event) => this.release(event));
    this.stage.addEventListener("pointercancel", () => { this.held = null; this.choose(-1); });
    this.stage.addEventListener("dblclick", () => this.zoom_to(null));
  }

  /**
   * series: [{name, label: a shorter one, style, xs, ys, faint: ys that are drawn thinly behind, or null, thin: without marks and name}], xs
   * ascending. x and y: {title, log, low, high, text(value)}; low and high widen the axis. `labelled`: names stand
   * at the ends of lines where there is room.
   */
  draw({series, x, y, areas = [], labelled = true}) {
    this.series = series.filter(({xs}) => xs.length > 0);
    this.titles = {x, y};
    const named = this.series.filter(({thin}) => !thin);
    const labels = labelled && (this.stage.clientWidth || 800) >= kWide && named.length > 1 && named.length <= kMostLabels;
    this.margin.right = labels ? kLabelRoom : 14;
    this.begin();
    if (!this.series.some(({xs, ys}) => xs.some((at, i) => Number.isFinite(at) && Number.isFinite(ys[i]) && !(x.log && at <= 0)))) {
      this.empty("Nothing to show");
      return;
    }
    this.make_scales(x, y);
    this.add(svg("clipPath", {id: this.clip}, svg("rect", {x: this.left - kMark, y: this.top - kMark, width: this.right - this.left + 2 * kMark, height: this.bottom - this.top + 2 * kMark})));
    this.axes(this.x, this.y, x.title, y.title);
    const inner = svg("g", {"clip-path": `url(#${this.clip})`});
    for (const {from, to} of areas) {
      inner.append(svg("path", {class: "identity", d: `M${this.x.at(from[0])} ${this.y.at(from[1])}L${this.x.at(to[0])} ${this.y.at(to[1])}`}));
    }
    for (const each of this.series) this.add_line(inner, each);
    this.add(inner);
    if (labels) this.add_labels(named);
    this.finish();
  }

  make_scales(x, y) {
    const all_x = [], all_y = [];
    for (const {xs} of this.series) all_x.push(xs[0], xs[xs.length - 1]);
    if (x.log) for (const {xs} of this.series) all_x.push(xs.find((value) => value > 0));
    let [x_low, x_high] = extent([...all_x, x.low ?? NaN, x.high ?? NaN], x.log);
    if (this.zoom) [x_low, x_high] = this.zoom.x;
    for (const {xs, ys, faint} of this.series) {
      for (const values of faint ? [ys, faint] : [ys]) {
        for (let i = 0; i < xs.length; ++i) if (xs[i] >= x_low && xs[i] <= x_high) all_y.push(values[i]);
      }
    }
    let [y_low, y_high] = extent([...all_y, y.low ?? NaN, y.high ?? NaN], y.log);
    if (this.zoom?.y) [y_low, y_high] = this.zoom.y;
    this.x = continuous(x_low, x_high, this.left, this.right, x.log);
    this.y = continuous(y_low, y_high, this.bottom - 4, this.top + 4, y.log);
  }

  add_line(inner, {style, xs, ys, faint, thin}) {
    const pattern = thin ? null : style.pattern;
    if (faint) inner.append(svg("path", {class: `curve faint ${style.colour}`, d: this.path(xs, faint)}));
    inner.append(svg("path", {class: `curve ${style.colour}${thin ? " thin" : ""}`, d: this.path(xs, ys), "stroke-dasharray": pattern}));
    if (!thin) inner.append(svg("path", {class: mark_class(style), d: this.marks(style, xs, ys)}));
  }

  /** Of several points in one column of pixels the first, lowest, highest and last: looks the same as all of them. */
  path(xs, ys) {
    let d = "", pen = "M", column = NaN, kept = null;
    const put = (x, y) => { d += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`; pen = "L"; };
    const flush = () => {
      if (kept && kept.n > 1) {
        if (kept.n > 2) { put(kept.x, kept.low); put(kept.x, kept.high); }
        put(kept.x, kept.last);
      }
      kept = null;
    };
    const {first, last} = this.in_sight(xs);
    for (let i = first; i < last; ++i) {
      const x = this.x.at(xs[i]), y = this.y.at(ys[i]);
      if (!Number.isFinite(x) || !Number.isFinite(y)) { flush(); pen = "M"; column = NaN; continue; }
      if (Math.floor(x) !== column) {
        flush();
        column = Math.floor(x);
        put(x, y);
        kept = {n: 1, x, low: y, high: y, last: y};
      } else {
        kept = {n: kept.n + 1, x, low: Math.min(kept.low, y), high: Math.max(kept.high, y), last: y};
      }
    }
    flush();
    return d;
  }

  /** Which points lie within the zoom, and one more on either side. */
  in_sight(xs) {
    if (!this.zoom) return {first: 0, last: xs.length};
    const [low, high] = this.zoom.x;
    return {first: Math.max(0, place(xs, low) - 1), last: Math.min(xs.length, place(xs, high) + 2)};
  }

  marks(style, xs, ys) {
    const {first, last} = this.in_sight(xs), n = last - first, few = n <= 2 * kMarksEach;
    const apart = (this.right - this.left) / kMarksEach;
    let d = "", wanted = this.left + style.shift * apart;
    for (let i = first; i < last; ++i) {
      const x = this.x.at(xs[i]), y = this.y.at(ys[i]);
      if (!Number.isFinite(y) || x < this.left - 1 || x > this.right + 1 || (!few && x < wanted)) continue;
      d += mark_path(style, x, y, kMark);
      wanted = x + apart;
    }
    return d;
  }

  /** Names beside the ends of lines, moved apart. */
  add_labels(series) {
    const labels = [];
    for (const each of series) {
      for (let i = each.xs.length - 1; i >= 0; --i) {
        const x = this.x.at(each.xs[i]), y = this.y.at(each.ys[i]);
        if (!Number.isFinite(y) || x > this.right + 1 || x < this.left || y < this.top - 1 || y > this.bottom + 1) continue;
        labels.push({each, x, y, at: y});
        break;
      }
    }
    labels.sort((a, b) => a.y - b.y);
    for (let i = 1; i < labels.length; ++i) labels[i].at = Math.max(labels[i].at, labels[i - 1].at + 14);
    let limit = this.bottom;
    for (let i = labels.length - 1; i >= 0; --i, limit -= 14) labels[i].at = Math.min(labels[i].at, limit);
    for (const {each, x, y, at} of labels) {
      this.add(svg("path", {class: "leader", d: `M${x.toFixed(1)} ${y.toFixed(1)}L${this.right + 8} ${at.toFixed(1)}`}),
               svg("path", {class: mark_class(each.style), d: mark_path(each.style, this.right + 14, at, kMark)}),
               svg("text", {class: "label", x: this.right + 22, y: at + 4}, shortened(each.label ?? each.name, kLabelLong), svg("title", {}, each.name)));
    }
  }

  // ---- reading ----
  finish() {
    this.stage.tabIndex = 0;
    this.stage.setAttribute("aria-roledescription", "chart; left and right arrows move along a line, up and down to another line, plus and minus zoom, 0 shows all");
    this.choose(-1);
  }

  where(event) {
    const box = this.stage.getBoundingClientRect(), scale = this.width / box.width;
    return {x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale};
  }

  point(event) {
    const {x, y} = this.where(event);
    if (this.held) { this.show_drag(x, y); return; }
    if (!this.series?.length || !this.x) return;
    let best = null;
    for (const series of this.series) {
      const i = nearest(series.xs, this.x.back(x));
      const dx = this.x.at(series.xs[i]) - x, dy = this.y.at(series.ys[i]) - y;
      const distance = Number.isFinite(dy) ? Math.abs(dy) + 0.2 * Math.abs(dx) : Infinity;
      if (!best || distance < best.distance) best = {series, i, distance};
    }
    const inside = x >= this.left - 10 && x <= this.right + 10;
    if (best && inside && Number.isFinite(best.distance)) this.read(best.series, best.i); else this.choose(-1);
  }

  read(series, i) {
    this.current = {series, i};
    const x = this.x.at(series.xs[i]), y = this.y.at(series.ys[i]);
    const others = this.series.filter((each) => each !== series && !each.thin)
        .map((each) => ({each, value: each.ys[nearest(each.xs, series.xs[i])]}));
    const {x: across, y: up} = this.titles, show_x = across.text ?? number, show_y = up.text ?? number;
    const told = [`${across.title.split(" (")[0]} ${show_x(series.xs[i])}`, `${series.name}: ${show_y(series.ys[i])}`,
                  ...others.slice(0, kListed).map(({each, value}) => `${each.name}: ${show_y(value)}`)];
    if (others.length > kListed) told.push(`and ${others.length - kListed} more`);
    this.targets = [{x, y, text: told.join("\n"), outline: () => `M${x.toFixed(1)} ${this.top}V${this.bottom}`}];
    this.choose(0);
  }

  key(event) {
    if (event.target !== this.stage || !this.series?.length || !this.x) return;
    const now = this.current && this.series.includes(this.current.series) ? this.current : null;
    const moves = {ArrowRight: 1, ArrowLeft: -1};
    if (event.key in moves) {
      const {series, i} = now ?? {series: this.series[0], i: moves[event.key] > 0 ? -1 : this.series[0].xs.length};
      const {first, last} = this.in_sight(series.xs);
      this.read(series, Math.max(first, Math.min(last - 1, i + moves[event.key])));
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const n = this.series.length, at = now ? this.series.indexOf(now.series) : -1;
      const series = this.series[(at + (event.key === "ArrowDown" ? 1 : n - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % n];
      this.read(series, now ? nearest(series.xs, now.series.xs[now.i]) : 0);
    } else if (event.key === "+" || event.key === "=" || event.key === "-") {
      this.zoom_by(event.key === "-" ? 2 : 0.5);
    } else if (event.key === "0" || event.key === "Escape") {
      this.zoom_to(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  // ---- zooming ----
  press(event) {
    if (event.button !== 0 || !this.x) return;
    const {x, y} = this.where(event);
    if (x < this.left || x > this.right) return;
    this.held = {x, y};
    this.stage.setPointerCapture(event.pointerId);
  }

  show_drag(x, y) {
    const {x: from, y: begin} = this.held, [low, high] = [Math.max(this.left, Math.min(from, x)), Math.min(this.right, Math.max(from, x))];
    if (high - low < 4) return;
    const tall = Math.abs(y - begin) > 30;
    this.over.replaceChildren(svg("rect", {class: "drag", x: low, width: high - low, y: tall ? Math.max(this.top, Math.min(begin, y)) : this.top,
                                           height: tall ? Math.min(this.bottom, Math.max(begin, y)) - Math.max(this.top, Math.min(begin, y)) : this.bottom - this.top}));
    this.tip.hidden = true;
  }

  release(event) {
    if (!this.held) return;
    const {x: from, y: begin} = this.held, {x, y} = this.where(event);
    this.held = null;
    const [low, high] = [Math.max(this.left, Math.min(from, x)), Math.min(this.right, Math.max(from, x))];
    if (high - low < 8) return;
    const tall = Math.abs(y - begin) > 30, within = (pixel) => Math.max(this.top, Math.min(this.bottom, pixel));
    this.zoom_to({x: [this.x.back(low), this.x.back(high)],
                  y: tall ? [this.y.back(within(Math.max(begin, y))), this.y.back(within(Math.min(begin, y)))] : null});
  }

  zoom_by(factor) {
    const middle = this.current ? this.x.at(this.current.series.xs[this.current.i]) : (this.left + this.right) / 2;
    const half = ((this.right - this.left) * factor) / 2, centre = Number.isFinite(middle) ? middle : (this.left + this.right) / 2;
    if (factor > 1 && !this.zoom) return;
    this.zoom_to({x: [this.x.back(centre - half), this.x.back(centre + half)], y: null});
  }

  zoom_to(zoom) {
    this.zoom = zoom;
    this.drawn();
  }
}

/** The first place whose value is not below. */
function place(xs, value) {
  let low = 0, high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < value) low = middle + 1; else high = middle;
  }
  return low;
}

function nearest(xs, value) {
  const after = Math.min(xs.length - 1, place(xs, value));
  return after > 0 && value - xs[after - 1] < xs[after] - value ? after - 1 : after;
}
