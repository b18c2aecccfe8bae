// How good a value is, in ten shades: each holds a tenth of the trials, so one wild value does not flatten the rest.
import {element} from "../../../page/dom.js";
import {number} from "../../../page/format.js";
import {kShades, ramp} from "../../../page/charts/ramp.js";

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
  const node = element("p", {class: "legend"}, `${metric}: `, best, ramp(), worst);
  return {node, say: (shading) => {
    best.textContent = `${number(shading.best)} (best)`;
    worst.textContent = `${number(shading.worst)} (worst)`;
  }};
}
