// From values to pixels.
import {key_of, number, value as shown} from "../format.js";

/** Of a continuum; `log` needs low > 0 and is linear without. */
export function continuous(low, high, begin, end, log = false) {
  log = log && low > 0;
  if (!(high > low)) {
    const margin = low === 0 ? 1 : Math.abs(low) * 0.1;
    [low, high] = log ? [low / 1.5, high * 1.5] : [low - margin, high + margin];
  }
  const turn = log ? Math.log10 : (x) => x;
  const from = turn(low), slope = (end - begin) / (turn(high) - from);
  const at = (x) => begin + (turn(x) - from) * slope;
  const back = (pixel) => { const t = from + (pixel - begin) / slope; return log ? 10 ** t : t; };
  const room = Math.abs(end - begin);
  return {at, back, low, high, begin, end, log,
          ticks: (space = 60) => (log ? log_ticks : ticks)(low, high, Math.max(2, Math.floor(room / space)))
              .map((x) => ({value: x, at: at(x), text: number(x)}))};
}

/** One place for each choice. */
export function category(choices, begin, end) {
  const keys = choices.map(key_of), step = (end - begin) / Math.max(1, choices.length);
  const at = (value) => { const i = keys.indexOf(key_of(value)); return i < 0 ? NaN : begin + (i + 0.5) * step; };
  return {at, begin, end, log: false, step: Math.abs(step),
          ticks: () => choices.map((value) => ({value, at: at(value), text: shown(value)}))};
}

function ticks(low, high, wanted) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

function log_ticks(low, high, wanted) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9), decades = last - first + 1;
  if (decades < 2) {
    const few = [];
    for (let power = first - 1; power <= last; ++power) {
      for (const factor of [1, 2, 5]) {
        const x = factor * 10 ** power;
        if (x >= low * 0.999 && x <= high * 1.001) few.push(Number(x.toPrecision(3)));
      }
    }
    return few.length >= 2 ? few : ticks(low, high, wanted);
  }
  const stride = Math.ceil(decades / wanted), found = [];
  for (let power = first; power <= last; power += stride) found.push(Number(`1e${power}`));
  return found;
}

/** [lowest, highest] of the finite ones; [0, 1] of none. */
export function extent(values, positive_only = false) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (positive_only && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? (positive_only ? [0.1, 1] : [0, 1]) : [low, high];
}
