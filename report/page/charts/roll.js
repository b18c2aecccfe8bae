// A piano roll: time to the right, pitch upward; bars, and what is copied from somewhere.
import {element, svg} from "../../../page/dom.js";
import {clock_time, key_name} from "../words.js";

const kAbout = 44;         // pixels a second, unless the piece then fits the window
const kLongest = 12000;    // pixels: wider pictures are no use
const kKeys = 34;          // pixels for the names of keys
const kBlack = new Set([1, 3, 6, 8, 10]);

export class Roll {
  /** copied: [{from, to}] in seconds; `seek(seconds)` is what a click means. */
  constructor({notes, bars, copied, name, seek = () => {}}) {
    Object.assign(this, {notes, bars, copied, name, seek});
    this.fits = true;
    this.base = svg("svg", {class: "base", role: "img", "aria-label": this.in_words()});
    this.head = element("div", {class: "playhead"});
    this.inner = element("div", {class: "roll-inner", on: {click: (event) => this.click(event)}}, this.base, this.head);
    this.node = element("div", {class: "roll", tabindex: 0, role: "region", "aria-label": `Piano roll of ${name}`}, this.inner);
    this.end = notes.reduce((end, [start, length]) => Math.max(end, start + length), 1);
    const pitches = notes.map(([, , pitch]) => pitch);
    this.low = Math.min(...pitches, 60) - 2;
    this.high = Math.max(...pitches, 60) + 2;
    this.node.style.minHeight = `${this.height()}px`;
  }

  in_words() {
    const pitches = this.notes.map(([, , pitch]) => pitch);
    return `${this.name}: ${this.notes.length} notes` + (pitches.length ? ` from ${key_name(Math.min(...pitches))} to ${key_name(Math.max(...pitches))}` : "");
  }

  height() { return Math.max(120, Math.min(340, (this.high - this.low + 1) * 4.5)) + 36; }

  draw() {
    const room = Math.max(260, this.node.clientWidth || 700), width = this.fits ? room : Math.min(kLongest, Math.max(room, kKeys + this.end * kAbout));
    const height = this.height();
    Object.assign(this, {left: kKeys, right: width - 6, top: 18, bottom: height - 18, width});
    this.inner.style.width = `${width}px`;
    this.base.replaceChildren();
    this.base.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.base.setAttribute("width", width);
    this.base.setAttribute("height", height);
    this.row = (this.bottom - this.top) / (this.high - this.low + 1);
    this.background();
    this.add_notes();
    this.position(this.now ?? 0);
  }

  x(seconds) { return this.left + (seconds / this.end) * (this.right - this.left); }
  y(pitch) { return this.bottom - (pitch - this.low + 1) * this.row; }

  background() {
    let black = "", octaves = "", bars = "";
    for (let pitch = this.low; pitch <= this.high; ++pitch) {
      const y = this.y(pitch).toFixed(1);
      if (kBlack.has(((pitch % 12) + 12) % 12)) black += `M${this.left} ${y}H${this.right}v${this.row.toFixed(2)}H${this.left}z`;
      if (((pitch % 12) + 12) % 12 === 0) {
        octaves += `M${this.left} ${(this.y(pitch) + this.row).toFixed(1)}H${this.right}`;
        this.base.append(svg("text", {class: "tick", x: this.left - 4, y: this.y(pitch) + this.row, "text-anchor": "end"}, key_name(pitch)));
      }
    }
    this.base.prepend(svg("path", {class: "roll-black", d: black}), svg("path", {class: "grid", d: octaves}));
    for (const {from, to} of this.copied) {
      this.base.append(svg("rect", {class: "roll-copied", x: this.x(from), width: Math.max(2, this.x(to) - this.x(from)), y: this.top, height: this.bottom - this.top}));
    }
    let last = -Infinity;
    this.bars.forEach((start, i) => {
      const x = this.x(start);
      if (x > this.right) return;
      bars += `M${x.toFixed(1)} ${this.top}V${this.bottom}`;
      if (x - last > 30) {
        this.base.append(svg("text", {class: "tick", x: x + 2, y: this.top - 5}, String(i + 1)));
        last = x;
      }
    });
    this.base.append(svg("path", {class: "roll-bar", d: bars}));
    const seconds = Math.max(1, Math.ceil(this.end / Math.max(1, (this.right - this.left) / 70) / 5) * 5);
    for (let at = 0; at <= this.end; at += seconds) {
      this.base.append(svg("text", {class: "tick", x: this.x(at), y: this.bottom + 13, "text-anchor": at === 0 ? "start" : "middle"}, clock_time(at)));
    }
  }

  /** Loud notes are darker; copied ones have another colour and an outline. */
  add_notes() {
    const paths = new Map();
    for (const [start, length, pitch, velocity] of this.notes) {
      const copied = this.copied.some(({from, to}) => start >= from - 1e-3 && start < to - 1e-3);
      const key = `tone ${copied ? "copied" : velocity < 48 ? "soft" : velocity < 88 ? "middle" : "loud"}`;
      const x = this.x(start), wide = Math.max(1.2, this.x(start + length) - x - 0.4), tall = Math.max(1.5, this.row - 0.5);
      paths.set(key, `${paths.get(key) ?? ""}M${x.toFixed(1)} ${this.y(pitch).toFixed(1)}h${wide.toFixed(1)}v${tall.toFixed(1)}h${(-wide).toFixed(1)}z`);
    }
    for (const [name, d] of paths) this.base.append(svg("path", {class: name, d}));
  }

  click(event) {
    const box = this.inner.getBoundingClientRect();
    this.seek(Math.max(0, Math.min(this.end, ((event.clientX - box.left - this.left) / (this.right - this.left)) * this.end)));
  }

  /** Where the music is. */
  position(seconds) {
    this.now = seconds;
    if (this.left === undefined) return;
    const x = this.x(seconds);
    this.head.style.transform = `translateX(${x.toFixed(1)}px)`;
    this.head.dataset.seconds = seconds.toFixed(2);
    const {scrollLeft, clientWidth} = this.node;
    if (this.width > clientWidth && (x < scrollLeft || x > scrollLeft + clientWidth - 40)) this.node.scrollLeft = x - 60;
  }
}
