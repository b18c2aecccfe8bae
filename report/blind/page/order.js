// In which order a listener hears the comparisons.

/** A generator of numbers in [0, 1) that follows from a text (FNV-1a, then Mulberry32). */
function numbers_from(text) {
  let state = 2166136261;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The comparisons of a session as this listener hears them: {comparison, first, second}, with its number in the session
 * and the ids of its pieces. Each listener begins with another round, so that those who stop early have not all heard the
 * same; within a round the order is drawn; and half of the listeners hear every second piece first.
 */
export function order_for(listener, rounds) {
  const random = numbers_from(listener);
  let number = 0;
  const numbered = rounds.map((round) => round.map(([first, second]) => ({comparison: number++, first, second})));
  const begin = Math.floor(random() * numbered.length), turned = random() < 0.5;
  const order = [];
  for (let i = 0; i < numbered.length; ++i) {
    const round = [...numbered[(begin + i) % numbered.length]];
    for (let j = round.length - 1; j > 0; --j) {
      const other = Math.floor(random() * (j + 1));
      [round[j], round[other]] = [round[other], round[j]];
    }
    order.push(...round);
  }
  return turned ? order.map(({comparison, first, second}) => ({comparison, first: second, second: first})) : order;
}
