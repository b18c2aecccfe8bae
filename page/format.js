// Numbers, durations and values for people.

/** A number from JSON: nan and infinities come as text. */
export function number_of(json) {
  if (typeof json === "number") return json;
  if (json === "inf") return Infinity;
  if (json === "-inf") return -Infinity;
  return NaN;
}

/** Four significant digits, enough to tell runs apart. */
export function number(value, digits = 4) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return sign(String(value));
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return sign(value.toExponential(digits - 2).replace(/\.?0+e/, "e").replace("e+", "e"));
  return sign(String(Number(value.toPrecision(digits))));
}

function sign(text) {
  return text.replace(/^-/, "−");
}

/**
 * A parameter's or attribute's value: a number shortened, a text as it is, anything else as JSON. A text that looks like
 * something else ("1.5", "null") is quoted.
 */
export function value(json) {
  if (typeof json === "number") return number(json, 5);
  const plain = typeof json === "string" && !/^(null|true|false|-?\d[\d.e+-]*)$/i.test(json);
  return plain ? json : JSON.stringify(json);
}

/** Two values are alike when their JSON is; 1 and "1" are not. */
export const key_of = (json) => JSON.stringify(json);

/** "3 h 20 min"; at most two units. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) seconds = 0;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  const [name, size] = units[first];
  const [next, small] = units[first + 1] ?? ["", 0];
  const whole = Math.floor(seconds / size), rest = small ? Math.floor((seconds - whole * size) / small) : 0;
  return rest ? `${whole} ${name} ${rest} ${next}` : `${whole} ${name}`;
}

/** Local date and time. */
export function moment(seconds) {
  return Number.isFinite(seconds) ? new Date(seconds * 1000).toLocaleString() : "–";
}

/** Local time, with the date where `span` seconds are more than a day. */
export function clock(seconds, span) {
  const date = new Date(seconds * 1000);
  const two = (n) => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (span > 86400) return `${date.getDate()}.${date.getMonth() + 1}. ${time}`;
  return span < 600 ? `${time}:${two(date.getSeconds())}` : time;
}

/** "1 trial", "2 trials". */
export function count(n, noun) {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}
