// Talks to the controller: asks again and again what has changed, waits longer while it is away, and asks for the token.

const kToken = "etude-sweep-token";
const kInterval = 2000;
const kLongest = 30000;

/** The controller's own sentence, or that it does not answer (status 0). */
export class Failure extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

async function request(path, body) {
  const headers = {};
  const token = sessionStorage.getItem(kToken);
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = {headers, cache: "no-store", signal: AbortSignal.timeout(20000)};
  let answer;
  try {
    answer = await fetch(`/api/${path}`, body === undefined ? options
                                                            : {...options, method: "POST", body: JSON.stringify(body)});
  } catch {
    throw new Failure(0, "The controller does not answer.");
  }
  let json = null;
  try {
    json = await answer.json();
  } catch {
    if (answer.ok) throw new Failure(0, "The controller's answer broke off.");
  }
  if (!answer.ok) throw new Failure(answer.status, json?.error ?? `The controller answered with status ${answer.status}.`);
  return json;
}

export const get = (path) => request(path);
export const post = (path, body) => request(path, body);

export function keep_token(token) {
  sessionStorage.setItem(kToken, token);
}

/** A word that no one else uses. (crypto.randomUUID exists on HTTPS and loopback only.) */
export function unique_word() {
  return "page-" + Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
}

/**
 * Keeps `study` up to date. `changed()` follows each successful look, `away(failure, seconds)` each failed one with the
 * time until the next, and `locked(failure)` the one that wants a token: then nothing is asked until `now()`.
 */
export class Poller {
  constructor(study, {changed, away, locked}) {
    Object.assign(this, {study, changed, away, locked});
    this.delay = kInterval;
    this.timer = 0;
    this.busy = false;
    document.addEventListener("visibilitychange", () => { if (!document.hidden && !this.waiting) this.now(); });
  }

  /** Looks at once. */
  async now() {
    if (this.busy) return;
    clearTimeout(this.timer);
    this.busy = true;
    this.waiting = false;
    try {
      await this.look();
      this.delay = kInterval;
      this.next();
    } catch (failure) {
      if (!(failure instanceof Failure)) console.error(failure);
      if (failure.status === 401) {
        this.waiting = true;
        this.locked(failure);
      } else {
        this.delay = Math.min(this.delay * 2, kLongest);
        this.away(failure, this.delay / 1000);
        this.next();
      }
    } finally {
      this.busy = false;
    }
  }

  next() {
    // A page that nobody sees asks less often.
    this.timer = setTimeout(() => this.now(), document.hidden ? kLongest : this.delay);
  }

  async look() {
    const info = await get("study");
    const {study} = this;
    if (info.incarnation !== study.incarnation || info.revision !== study.revision) {
      const since = study.incarnation === "" ? "" : `?since=${study.revision}&incarnation=${encodeURIComponent(study.incarnation)}`;
      study.take_trials(await get(`trials${since}`));
    }
    study.take_info(info);
    this.changed();
  }
}
