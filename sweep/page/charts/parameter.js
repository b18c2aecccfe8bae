// The axis of a parameter.
import {category, continuous} from "../../../page/charts/scale.js";

/** Wide enough for what trials really had. */
export function of_parameter(parameter, trials, begin, end) {
  if (parameter.kind === "category") return category(parameter.choices, begin, end);
  let {low, high} = parameter;
  for (const trial of trials) {
    const value = trial.parameters[parameter.name];
    if (typeof value === "number" && value < low) low = value;
    if (typeof value === "number" && value > high) high = value;
  }
  return continuous(low, high, begin, end, parameter.log);
}
