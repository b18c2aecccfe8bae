// The order of rows.

/** Numbers before texts; what is not there comes last either way. */
export function compared(a, b, up) {
  const absent = (x) => x === undefined || x === null || x === "" || Number.isNaN(x);
  if (absent(a) || absent(b)) return absent(a) - absent(b);
  const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : typeof b === "number" ? 1 : 0;
  return up ? order : -order;
}
