// How good a value is, in ten shades: each holds a tenth of the trials, so one wild value does not flatten the rest.
// Between dark blue and yellow (cividis), told apart without colour vision too.
import {element, svg} from "../dom.js";
import {number} from "../format.js";

export const kShades = 10;

/** value → 0 (the best tenth) … 9; NaN for nan. */
export function shades(values, maximizes) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => (maximizes ? b - a : a - b));
  const bounds = Array.from({length: kShades - 1}, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / kShades)]);
  return {best: sorted[0], worst: sorted[sorted.length - 1], of: (value) => {
    if (Number.isNaN(value)) return NaN;
    let shade = 0;
    while (shade < bounds.length && (maximizes ? value < bounds[shade] : value > bounds[shade])) ++shade;
    return shade;
  }};
}

export function shade_legend(metric) {
  const best = element("span"), worst = element("span");
  const node = element("p", {class: "legend"}, `${metric}: `, best,
      svg("svg", {class: "ramp", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
          ...Array.from({length: kShades}, (_, i) => svg("rect", {class: `fill shade-${i}`, x: i * 10, y: 0, width: 10.2, height: 10}))),
      worst);
  return {node, say: (shading) => {
    best.textContent = `${number(shading.best)} (best)`;
    worst.textContent = `${number(shading.worst)} (worst)`;
  }};
}
