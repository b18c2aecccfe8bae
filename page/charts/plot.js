// The frame of every chart: axes, what is under the pointer or chosen by the arrow keys, and what a click opens.
import {element, say, svg} from "../dom.js";

export class Plot {
  /** `label` says to a screen reader what is drawn; `open(target)` is what a click on a target does. */
  constructor({label, height = 280, open = null, margin = {}}) {
    this.height = height;
    this.margin = {left: 56, right: 14, top: 10, bottom: 40, ...margin};
    this.open = open;
    this.base = svg("svg", {class: "base", "aria-hidden": "true"});
    // Apart, so that moving the pointer does not draw thousands of marks again.
    this.over = svg("svg", {class: "over", "aria-hidden": "true"});
    this.tip = element("div", {class: "tip", hidden: true, role: "status"});
    this.stage = element("div", {class: "stage", role: "group", "aria-label": label}, this.base, this.over, this.tip);
    this.node = this.stage;
    this.stage.style.minHeight = `${height}px`;  // what is not drawn yet has its place already
    this.targets = [];  // [{x, y, text, outline}]; text() and outline() are made when they are needed
    this.chosen = -1;
    this.stage.addEventListener("pointermove", (event) => this.point(event));
    this.stage.addEventListener("pointerleave", () => this.choose(-1));
    this.stage.addEventListener("click", (event) => { this.point(event); this.enter(); });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("blur", () => this.choose(-1));
  }

  /** Empties the chart; afterwards left, right, top and bottom are the ends of the inner area. */
  begin() {
    this.width = Math.max(200, this.stage.clientWidth || 600);
    for (const node of [this.base, this.over]) {
      node.replaceChildren();
      node.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      node.setAttribute("height", this.height);
    }
    Object.assign(this, {left: this.margin.left, right: this.width - this.margin.right, top: this.margin.top,
                         bottom: this.height - this.margin.bottom});
    this.targets = [];
    this.reach = 24;
  }

  add(...nodes) { this.base.append(...nodes); }

  /** In place of a chart. */
  empty(text) {
    this.add(svg("text", {class: "empty", x: this.width / 2, y: this.height / 2, "text-anchor": "middle"}, text));
    this.finish();
  }

  /** Scales as of scale.js, x from left to right, y from bottom to top. */
  axes(x, y, x_title, y_title) {
    const grid = [];
    for (const {at, text} of spaced(x.ticks(70), 34)) {
      grid.push(`M${at.toFixed(1)} ${this.top}V${this.bottom}`);
      this.add(svg("text", {class: "tick", x: at, y: this.bottom + 15, "text-anchor": "middle"}, shortened(text, 12)));
    }
    for (const {at, text} of spaced(y.ticks(40), 12)) {
      grid.push(`M${this.left} ${at.toFixed(1)}H${this.right}`);
      this.add(svg("text", {class: "tick", x: this.left - 6, y: at + 4, "text-anchor": "end"}, shortened(text, 8)));
    }
    this.base.prepend(svg("path", {class: "grid", d: grid.join("")}));
    this.add(svg("path", {class: "axis", d: `M${this.left} ${this.top}V${this.bottom}H${this.right}`}));
    const room = Math.floor((this.right - this.left) / 7);
    this.add(svg("text", {class: "axis-title", x: (this.left + this.right) / 2, y: this.height - 5, "text-anchor": "middle"},
                 shortened(x_title, room)));
    const middle = (this.top + this.bottom) / 2;
    this.add(svg("text", {class: "axis-title", x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, "text-anchor": "middle"},
                 shortened(y_title, Math.floor((this.bottom - this.top) / 7))));
  }

  /** Once the targets are there. */
  finish() {
    if (this.targets.length > 0) {
      this.stage.tabIndex = 0;
      this.stage.setAttribute("aria-roledescription", this.open ? "chart; arrow keys move between points, Enter opens one" : "chart; arrow keys move between points");
    } else {
      this.stage.removeAttribute("tabindex");
    }
    const chosen = this.chosen_key;
    this.choose(chosen === undefined ? -1 : this.targets.findIndex((target) => text_of(target) === chosen));
  }

  point(event) {
    const box = this.stage.getBoundingClientRect();
    const scale = this.width / box.width, x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let nearest = -1, distance = this.reach ** 2;
    for (let i = 0; i < this.targets.length; ++i) {
      const target = this.targets[i];
      // A bar is near wherever one is above it.
      const dx = Math.max(target.x - x, 0, x - (target.x2 ?? target.x)), dy = target.y - y;
      const d = dx * dx + dy * dy;
      if (d < distance) [nearest, distance] = [i, d];
    }
    this.choose(nearest);
  }

  key(event) {
    const moves = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};
    if (event.target !== this.stage || this.targets.length === 0) return;
    if (event.key in moves) {
      const n = this.targets.length;
      this.choose(this.chosen < 0 ? (moves[event.key] > 0 ? 0 : n - 1) : (this.chosen + moves[event.key] + n) % n);
    } else if (event.key === "Enter" || event.key === " ") {
      this.enter();
    } else {
      return;
    }
    event.preventDefault();
  }

  enter() {
    const target = this.targets[this.chosen];
    if (target && this.open) this.open(target);
  }

  choose(index) {
    this.chosen = index;
    const target = this.targets[index];
    this.chosen_key = target && text_of(target);
    this.stage.classList.toggle("pointing", Boolean(target && this.open));
    this.tip.hidden = !target;
    if (!target) {
      this.over.replaceChildren();
      return;
    }
    const parts = target.outline ? [svg("path", {class: "outline", d: target.outline()})] : [];
    if (target.x2 === undefined) parts.push(svg("circle", {class: "ring", cx: target.x, cy: target.y, r: 6}));
    this.over.replaceChildren(...parts);
    say(this.tip, this.chosen_key);
    const left = Math.min(Math.max(target.x + 12, 0), this.width - 8), beyond = left > this.width * 0.6;
    this.tip.style.left = beyond ? "auto" : `${left}px`;
    this.tip.style.right = beyond ? `${Math.max(0, this.width - target.x + 12)}px` : "auto";
    this.tip.style.top = `${Math.max(0, Math.min(target.y - 12, this.height - 60))}px`;
  }
}

function text_of({text}) {
  return typeof text === "function" ? text() : text;
}

/** Ticks with `room` pixels between them, so that their texts stay legible. */
function spaced(ticks, room) {
  let last = NaN;
  return ticks.filter(({at}) => {
    if (Math.abs(at - last) < room) return false;
    last = at;
    return true;
  });
}

export function shortened(text, length) {
  return text.length > length ? `${text.slice(0, Math.max(1, length - 1))}…` : text;
}

/** `wanted` of the list, evenly taken. */
export function sampled(list, wanted) {
  if (list.length <= wanted) return list;
  return Array.from({length: wanted}, (_, i) => list[Math.floor((i * list.length) / wanted)]);
}
