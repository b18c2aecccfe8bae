// A state is told by colour and by shape.
import {element, svg} from "../../../page/dom.js";
import {kShapes, sign} from "../../../page/charts/shapes.js";

const kShapeOf = {COMPLETE: "circle", PRUNED: "square", RUNNING: "play", FAIL: "cross", WAITING: "diamond", PAUSED: "pause"};

export const kStateNames = {RUNNING: "running", COMPLETE: "complete", PRUNED: "pruned", FAIL: "failed", WAITING: "waiting",
                            PAUSED: "paused"};

export function state_name(state) {
  return kStateNames[state] ?? String(state);
}

/** The path of one mark. */
export function mark(state, x, y, r = 3.5) {
  return kShapes[kShapeOf[state] ?? "circle"](x, y, r);
}

/** The class that colours a path of marks, or of lines. */
export function mark_class(state) {
  return state in kShapeOf ? `mark ${state}` : "mark";
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

/** The state of a trial, as a sign and in words. */
export function badge(state) {
  return sign(mark_class(state), mark(state, 6, 6, 4.5), state_name(state));
}

export function legend(states) {
  return element("p", {class: "legend"}, ...states.map((state) => badge(state)));
}
