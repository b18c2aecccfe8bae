// A state is told by colour and by shape. Thousands of marks are one path, which is what keeps the page fluid.
import {element, svg} from "../dom.js";

const n = (x) => x.toFixed(1);

const kShapes = {
  COMPLETE: (x, y, r) => `M${n(x - r)} ${n(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  PRUNED: (x, y, r) => `M${n(x - r)} ${n(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`,
  RUNNING: (x, y, r) => `M${n(x - r)} ${n(y - r)}l${2 * r} ${r}l${-2 * r} ${r}z`,
  FAIL: (x, y, r) => `M${n(x - r)} ${n(y - r)}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`,
  WAITING: (x, y, r) => `M${n(x)} ${n(y - r)}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`,
  PAUSED: (x, y, r) => `M${n(x - r)} ${n(y - r)}h${0.7 * r}v${2 * r}h${-0.7 * r}zM${n(x + 0.3 * r)} ${n(y - r)}h${0.7 * r}v${2 * r}h${-0.7 * r}z`,
};

export const kStateNames = {RUNNING: "running", COMPLETE: "complete", PRUNED: "pruned", FAIL: "failed", WAITING: "waiting",
                            PAUSED: "paused"};

export function state_name(state) {
  return kStateNames[state] ?? String(state);
}

/** The path of one mark. */
export function mark(state, x, y, r = 3.5) {
  return (kShapes[state] ?? kShapes.COMPLETE)(x, y, r);
}

/** The class that colours a path of marks, or of lines. */
export function mark_class(state) {
  return state in kShapes ? `mark ${state}` : "mark";
}

/** One path of each state: `places` are [{trial, x, y}]. */
export function marks(places, r) {
  const paths = new Map();
  for (const {trial, x, y} of places) {
    if (!paths.has(trial.state)) paths.set(trial.state, []);
    paths.get(trial.state).push(mark(trial.state, x, y, r));
  }
  return [...paths].map(([state, parts]) => svg("path", {class: mark_class(state), d: parts.join("")}));
}

/** A sign of 12 × 12 and the word it stands for. */
export function sign(name, d, text) {
  return element("span", {class: "state"},
                 svg("svg", {class: "sign", viewBox: "0 0 12 12", "aria-hidden": "true"}, svg("path", {class: name, d})), text);
}

/** The state of a trial, as a sign and in words. */
export function badge(state) {
  return sign(mark_class(state), mark(state, 6, 6, 4.5), state_name(state));
}

export function legend(states) {
  return element("p", {class: "legend"}, ...states.map((state) => badge(state)));
}
