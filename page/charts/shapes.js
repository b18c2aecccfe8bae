// Marks that are told apart by their shape. Thousands of marks are one path, which is what keeps a page fluid.
import {element, svg} from "../dom.js";

const n = (x) => x.toFixed(1);

/** name → (x, y, r) → the path of one mark. "cross" and "plus" are lines, the others areas. */
export const kShapes = {
  circle: (x, y, r) => `M${n(x - r)} ${n(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  square: (x, y, r) => `M${n(x - r)} ${n(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`,
  play: (x, y, r) => `M${n(x - r)} ${n(y - r)}l${2 * r} ${r}l${-2 * r} ${r}z`,
  triangle: (x, y, r) => `M${n(x)} ${n(y - r)}l${r} ${1.8 * r}h${-2 * r}z`,
  cross: (x, y, r) => `M${n(x - r)} ${n(y - r)}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`,
  plus: (x, y, r) => `M${n(x - r)} ${n(y)}h${2 * r}M${n(x)} ${n(y - r)}v${2 * r}`,
  diamond: (x, y, r) => `M${n(x)} ${n(y - r)}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`,
  pause: (x, y, r) => `M${n(x - r)} ${n(y - r)}h${0.7 * r}v${2 * r}h${-0.7 * r}zM${n(x + 0.3 * r)} ${n(y - r)}h${0.7 * r}v${2 * r}h${-0.7 * r}z`,
};

/** A sign of 12 × 12 and the word it stands for. */
export function sign(name, d, text) {
  return element("span", {class: "state"},
                 svg("svg", {class: "sign", viewBox: "0 0 12 12", "aria-hidden": "true"}, svg("path", {class: name, d})), text);
}
