// What the report holds, and what of it is shown. A "line" is what is compared: a group, that is one configuration with all
// its seeds. It knows nothing of how it is drawn.
import {number_of} from "../../page/format.js";

const kFirstShown = 10;
const kNamed = 3;

export class Report {
  constructor(model) {
    this.model = model;
    this.title = String(model.title ?? "Report");
    this.metric = {name: "loss", words: "loss", unit: "nats", split: "", goal: "minimize", ...model.metric};
    this.metric.short = String(this.metric.words).split(":")[0];  // "loss per note: how surprised …"
    this.runs = list(model.runs).map((run) => ({...run, name: String(run.name ?? run.id), marks: list(run.marks)}));
    this.by_id = new Map(this.runs.map((run) => [run.id, run]));
    this.lines = this.make_lines(list(model.groups));
    this.line_of = new Map();
    for (const line of this.lines) {
      this.line_of.set(line.id, line);
      for (const run of line.runs) this.line_of.set(run.id, line);
    }
    this.shown = new Set(this.lines.slice(0, kFirstShown));
    this.version = 0;  // goes up when what is shown changes
    this.followers = [];
  }

  /** Groups, and runs that no group has, the best first; what cannot be compared or was not measured comes last. */
  make_lines(groups) {
    const grouped = new Set(groups.flatMap((group) => list(group.runs)));
    const lonely = this.runs.filter((run) => !grouped.has(run.id)).map((run) => ({...run, runs: [run.id]}));
    const lines = [...groups, ...lonely].map((group) => {
      const runs = list(group.runs).map((id) => this.by_id.get(id)).filter(Boolean);
      const value = number_of(group.mean ?? runs[0]?.metrics?.[this.metric.name] ?? null);
      return {id: group.id, name: String(group.name ?? group.id), runs, value, interval: interval_of(group.interval),
              deviation: number_of(group.deviation ?? null), marks: marks_of(runs)};
    });
    this.mark_strangers(lines);
    const sign = this.metric.goal === "maximize" ? -1 : 1;
    const place = (line) => (Number.isNaN(line.value) ? Infinity : sign * line.value);
    // Two lines without a value keep the order of the model: Infinity less Infinity is no number.
    lines.sort((a, b) => a.stranger - b.stranger || (place(a) === place(b) ? 0 : place(a) - place(b)));
    return lines.map((line, index) => ({...line, index}));
  }

  /** Of the sets that may be compared within themselves the largest stays; what lies outside is no rival of it. */
  mark_strangers(lines) {
    const root = new Map(lines.map(({id}) => [id, id]));
    const top = (id) => (root.get(id) === id ? id : top(root.get(id)));
    for (const {a, b} of list(this.model.comparisons)) if (root.has(a) && root.has(b)) root.set(top(a), top(b));
    const sizes = new Map();
    for (const {id} of lines) sizes.set(top(id), (sizes.get(top(id)) ?? 0) + 1);
    const refused = new Set(list(this.model.refused).flatMap(({a, b}) => [a, b]));
    const largest = [...sizes].reduce((most, each) => (each[1] > most[1] ? each : most), [null, 0])[0];
    for (const line of lines) {
      line.stranger = refused.has(line.id) && top(line.id) !== largest;
      if (line.stranger) line.marks = ["not comparable with the others", ...line.marks];
    }
  }

  /** Is told after every change of what is shown. */
  follow(tell) { this.followers.push(tell); }

  show(lines) {
    this.shown = new Set(lines);
    this.version += 1;
    for (const tell of this.followers) tell();
  }

  toggle(line) {
    const shown = new Set(this.shown);
    if (!shown.delete(line)) shown.add(line);
    this.show(shown);
  }

  /** Lines that are shown, in their order. */
  visible() { return this.lines.filter((line) => this.shown.has(line)); }

  best(n = kFirstShown) { return this.lines.slice(0, n); }

  name_of(id) { return this.line_of.get(id)?.name ?? String(id); }
}

export function list(json) {
  return Array.isArray(json) ? json : [];
}

/**
 * Runs of which there is something: [{line, name, found}], where `find(run)` says what. One alone goes by the name of its line, several seeds by their own: each
 * made other pieces, and what one of them copied must not be hidden behind another.
 */
export function runs_with(report, find) {
  return report.lines.flatMap((line) => {
    const all = line.runs.map((run) => ({run, found: find(run)})).filter(({found}) => found);
    return all.map(({run, found}) => ({line, name: all.length > 1 ? run.name : line.name, found}));
  });
}

/** What is remarked of a configuration's runs; with the names of those whom it is about where it is not about all. */
function marks_of(runs) {
  const about = new Map();
  for (const run of runs) for (const mark of run.marks) about.set(mark, [...(about.get(mark) ?? []), run.name]);
  return [...about].map(([mark, names]) => (names.length === runs.length ? mark : `${names.slice(0, kNamed).join(", ")}${names.length > kNamed ? " and others" : ""}: ${mark}`));
}

/** {low, high} of numbers, or null. */
export function interval_of(json) {
  const low = number_of(json?.low), high = number_of(json?.high);
  return Number.isFinite(low) && Number.isFinite(high) ? {low, high} : null;
}

/** Entries of an object, in its order; none of anything else. */
export function entries(json) {
  return json && typeof json === "object" && !Array.isArray(json) ? Object.entries(json) : [];
}

/**
 * A mean over the seeds of a line: `parts` are objects with `weight` and figures; figures that are no numbers are left out
 * with their weight.
 */
export function pooled(parts, weight, keys) {
  const sums = {[weight]: 0};
  for (const key of keys) {
    let sum = 0, weights = 0;
    for (const part of parts) {
      const value = part?.[key], w = part?.[weight];
      if (typeof value !== "number" || !(w > 0)) continue;
      sum += w * value;
      weights += w;
    }
    sums[key] = weights > 0 ? sum / weights : NaN;
  }
  for (const part of parts) sums[weight] += part?.[weight] > 0 ? part[weight] : 0;
  return sums;
}
