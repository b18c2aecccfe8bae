// How lines are told apart: by colour, by the pattern of the line and by marks. With eight colours, five patterns and seven
// marks, none of which divides another, the first 40 lines differ in two of the three.
import {svg} from "../../../page/dom.js";
import {kShapes} from "../../../page/charts/shapes.js";

const kColours = 8;
const kPatterns = [null, "7 3", "2 3", "9 3 2 3", "4 2"];
const kMarks = ["circle", "square", "triangle", "diamond", "cross", "plus", "play"];
const kOpen = new Set(["cross", "plus"]);

/**
 * {colour: class, pattern: stroke-dasharray or null, mark: name of a shape, shift: where marks begin, as a share of the way
 * to the next}; `index` is the line's place.
 */
export function style_of(index) {
  return {colour: `hue-${index % kColours}`, pattern: kPatterns[index % kPatterns.length], mark: kMarks[index % kMarks.length],
          shift: (index % 5) / 5};
}

/** For what is no line of the report: the test set, chance. */
export const kReference = {colour: "hue-none", pattern: "1 3", mark: "square", shift: 0.5};

/** The path of a mark, and its class: some marks are areas, others lines. */
export function mark_path(style, x, y, r = 4) {
  return kShapes[style.mark](x, y, r);
}

export function mark_class(style, hollow = false) {
  return `point ${style.colour}${kOpen.has(style.mark) || hollow ? " open" : ""}`;
}

/** A piece of the line with its mark, for legends. */
export function swatch(style) {
  return svg("svg", {class: "swatch", viewBox: "0 0 30 12", "aria-hidden": "true"},
             svg("path", {class: `curve ${style.colour}`, d: "M1 6H29", "stroke-dasharray": style.pattern}),
             svg("path", {class: mark_class(style), d: mark_path(style, 15, 6, 3.6)}));
}
