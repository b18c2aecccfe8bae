// Numbers with their units, and what technical words mean.
import {duration, number} from "../../page/format.js";

/** 1,234,567 → "1.23 M". */
export function large(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "";
  const units = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
  const unit = units.find(([size]) => Math.abs(value) >= size);
  return unit ? `${Number((value / unit[0]).toPrecision(3))} ${unit[1]}` : number(value, 3);
}

/** A loss or the like, with as many digits everywhere in a column. */
export function fixed(value, digits = 3) {
  return typeof value === "number" && Number.isFinite(value) ? value.toFixed(digits).replace(/^-/, "−") : "";
}

export function percent(value, digits = 1) {
  return typeof value === "number" && Number.isFinite(value) ? `${(100 * value).toFixed(digits).replace(/^-/, "−")} %` : "";
}

export function signed(value, digits = 3) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "";
  return value > 0 ? `+${fixed(value, digits)}` : fixed(value, digits);
}

export function range(interval, show = fixed) {
  return interval ? `${show(interval.low)} to ${show(interval.high)}` : "";
}

export function hours(value) {
  return typeof value === "number" && Number.isFinite(value) ? duration(3600 * value) : "";
}

const kKeys = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** 60 → "C4". */
export function key_name(pitch) {
  return `${kKeys[((pitch % 12) + 12) % 12]}${Math.floor(pitch / 12) - 1}`;
}

export function pitch_class(pitch) {
  return kKeys[((pitch % 12) + 12) % 12];
}

/** Minutes and seconds: 83.4 → "1:23". */
export function clock_time(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A list of values becomes one text for a table. */
export function plain(json) {
  if (json === null || json === undefined) return "";
  return typeof json === "object" ? JSON.stringify(json) : String(json);
}
