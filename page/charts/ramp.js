// Ten shades between dark blue and yellow (cividis: Nuñez, Anderton and Renslow, 2018), told apart without colour vision
// too; --shade-0 … --shade-9 in base.css.
import {svg} from "../dom.js";

export const kShades = 10;

/** All shades beside each other, for a legend. */
export function ramp() {
  return svg("svg", {class: "ramp", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
             ...Array.from({length: kShades}, (_, i) => svg("rect", {class: `fill shade-${i}`, x: i * 10, y: 0, width: 10.2, height: 10})));
}
