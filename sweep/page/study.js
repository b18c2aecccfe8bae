// What is known of the study, and what is derived from it. It knows nothing of how it is shown.
import {key_of, number_of} from "../../page/format.js";

export const kStates = ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", "PAUSED"];

export class Study {
  constructor() {
    this.info = null;
    this.incarnation = "";
    this.revision = 0;
    this.trials = [];   // in order of number
    this.version = 0;   // goes up with each change
    this.derived = new Map();
  }

  take_info(info) {
    const {now: then, spent, ...rest} = this.info ?? {};
    const {now, spent: spent_now, ...news} = info;
    if (JSON.stringify(rest) !== JSON.stringify(news)) this.touch();
    this.info = info;
  }

  /** What GET /api/trials answered: all trials after a restart of the controller, else those that changed. */
  take_trials({incarnation, revision, trials}) {
    if (incarnation !== this.incarnation) this.trials = [];
    const places = new Map(this.trials.map((trial, i) => [trial.number, i]));
    for (const json of trials) {
      const trial = read_trial(json);
      const place = places.get(trial.number);
      if (place === undefined) this.trials.push(trial);
      else this.trials[place] = trial;
    }
    this.trials.sort((a, b) => a.number - b.number);
    this.incarnation = incarnation;
    this.revision = revision;
    this.touch();
  }

  touch() {
    this.version += 1;
    this.derived.clear();
  }

  /** `make()`, once for each version of the study. */
  once(name, make) {
    if (!this.derived.has(name)) this.derived.set(name, make());
    return this.derived.get(name);
  }

  trial(number) {
    return this.once("by number", () => new Map(this.trials.map((each) => [each.number, each]))).get(number);
  }

  get directions() { return this.info?.directions ?? ["minimize"]; }
  get metrics() { return this.directions.map((_, i) => this.info?.metrics?.[i] || `value ${i}`); }
  maximizes(objective) { return this.directions[objective] === "maximize"; }

  /** Of `a` and `b`, whether the first is the better value. nan is never. */
  better(a, b, objective) {
    if (Number.isNaN(a)) return false;
    return Number.isNaN(b) || (this.maximizes(objective) ? a > b : a < b);
  }

  /** Complete trials with a finite value of the objective, by number. */
  finished(objective) {
    return this.once(`finished ${objective}`, () => this.trials.filter((trial) =>
        trial.state === "COMPLETE" && Number.isFinite(trial.values[objective])));
  }

  /**
   * The parameters of the study, then those that only trials have, each with how its axis goes:
   * {name, kind: "number" or "category", whole, low, high, step, log, choices, when, declared}.
   */
  parameters() {
    return this.once("parameters", () => {
      const found = new Map();
      for (const {name, distribution, when} of this.info?.parameters ?? []) {
        found.set(name, {name, when: when ?? {}, declared: true, ...axis_of(distribution)});
      }
      const seen = new Map();
      for (const trial of this.trials) {
        for (const [name, value] of Object.entries(trial.parameters)) {
          if (found.has(name)) continue;
          if (!seen.has(name)) seen.set(name, new Map());
          seen.get(name).set(key_of(value), value);
        }
      }
      for (const [name, values] of seen) found.set(name, {name, when: {}, declared: false, ...guessed([...values.values()])});
      return [...found.values()];
    });
  }

  /** The best value after each trial that is complete: [{trial, value, best}], in the order in which they ended. */
  history(objective) {
    return this.once(`history ${objective}`, () => {
      let best = NaN;
      return [...this.finished(objective)].sort((a, b) => a.ended - b.ended || a.number - b.number).map((trial) => {
        const value = trial.values[objective], improves = this.better(value, best, objective);
        if (improves) best = value;
        return {trial, value, best, improves};
      });
    });
  }
}

function read_trial(json) {
  const values = (json.values ?? []).map(number_of);
  const reports = (json.reports ?? []).map(([step, value]) => [step, number_of(value)]);
  const moment = (seconds) => (typeof seconds === "number" ? seconds : NaN);
  const stints = json.stints ?? [];
  return {
    ...json, values, reports, stints, began: moment(json.began), ended: moment(json.ended),
    parameters: bare(json.parameters), user_attributes: bare(json.user_attributes),
    worker: stints.length ? stints[stints.length - 1].worker : "",
  };
}

/** Without what objects inherit: a parameter may well be called "constructor" or "__proto__". */
export function bare(json) {
  return Object.assign(Object.create(null), json);
}

/** From Optuna's JSON of a distribution. */
function axis_of(distribution) {
  const {name, attributes} = typeof distribution === "string" ? JSON.parse(distribution) : distribution;
  if (name === "CategoricalDistribution") return {kind: "category", choices: attributes.choices, log: false};
  const whole = name === "IntDistribution";
  return {kind: "number", whole, low: attributes.low, high: attributes.high, step: attributes.step ?? (whole ? 1 : null),
          log: attributes.log === true};
}

function guessed(values) {
  if (values.every((value) => typeof value === "number")) {
    return {kind: "number", whole: values.every(Number.isInteger), low: Math.min(...values), high: Math.max(...values),
            step: null, log: false};
  }
  return {kind: "category", choices: values, log: false};
}

/** How long a trial has been worked on: its stints together, without the time in which it waited. */
export function worked(trial, now) {
  if (trial.stints.length === 0) return (Number.isNaN(trial.ended) ? now : trial.ended) - trial.began;
  return trial.stints.reduce((sum, stint) => sum + (stint.open ? Math.max(now, stint.ended) : stint.ended) - stint.began, 0);
}
