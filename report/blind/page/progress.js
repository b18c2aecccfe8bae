// What a listener has said so far: kept by the browser after every press, and given as a file in the end.

const random_id = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Answers by the number of the comparison: {choices, known: [first, second], heard: [s, s], plays: [n, n]}. */
export function begin_anew() {
  return {listener: random_id(), name: "", began: new Date().toISOString(), at: 0, saved: 0, answers: {}};
}

const place_of = (session) => `etude-listening-${session}`;

/** Of an earlier visit, or null. Browsers may refuse to keep anything, and what is kept may be anything. */
export function kept(session) {
  try {
    const progress = JSON.parse(localStorage.getItem(place_of(session)));
    const whole = typeof progress?.listener === "string" && typeof progress.name === "string" && Number.isInteger(progress.at) &&
                  typeof progress.answers === "object" && progress.answers !== null;
    return whole ? progress : null;
  } catch {
    return null;
  }
}

/** Whether it could be kept. */
export function keep(session, progress) {
  try {
    localStorage.setItem(place_of(session), JSON.stringify(progress));
    return true;
  } catch {
    return false;
  }
}

/** Whether the preferred one was said; other questions may stay open. */
export function answered(answer) {
  return (answer?.choices?.[0] ?? null) !== null;
}

export function count_answered(progress) {
  return Object.values(progress.answers).filter(answered).length;
}

/** The file of preferences: its name and its text. */
export function file_of(session, progress, order) {
  const answers = order.filter(({comparison}) => answered(progress.answers[comparison])).map(({comparison, first, second}) => {
    const {choices, known, heard, plays} = progress.answers[comparison];
    return {comparison, first, second, choices, known: ["first", "second"].filter((_, i) => known[i]),
            heard: heard.map((seconds) => Math.round(seconds * 10) / 10), plays};
  });
  const content = {format: "etude-preferences", version: 1, session: session.session, listener: progress.listener,
                   name: progress.name, began: progress.began, saved: new Date().toISOString(),
                   complete: answers.length === order.length, answers};
  const name = progress.name.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 30);
  return {name: `preferences-${name ? `${name}-` : ""}${progress.listener.slice(0, 6)}.json`, text: `${JSON.stringify(content, null, 1)}\n`};
}
