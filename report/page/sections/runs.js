// The table of configurations, each with all its seeds, or of single runs; and where each run stands.
import {element, svg, toggle} from "../../../page/dom.js";
import {duration, number_of} from "../../../page/format.js";
import {extent} from "../../../page/charts/scale.js";
import {style_of, swatch, mark_class, mark_path} from "../charts/styles.js";
import {fold} from "../figure.js";
import {interval_of} from "../report.js";
import {DataTable} from "../table.js";
import {fixed, hours, large, percent, range} from "../words.js";

const kFewStandings = 4;
// There is no room for all of them on paper.
const kMinor = new Set(["deviation", "perplexity", "top5", "calibration_error", "grammar_errors", "flops", "core_hours", "tokens"]);

// What is known of a run beside its metric: [key, title, what it means, how it is written].
const kMetrics = [
  ["loss", "loss per token", "mean negative log-likelihood of a token, in nats: less is better, comparable within one tokenization only", fixed],
  ["loss_per_note", "loss per note", "negative log-likelihood of a piece divided by its notes, in nats: less is better, whatever the tokenization", fixed],
  ["loss_per_second", "loss per second", "negative log-likelihood of a piece divided by its seconds, in nats: less is better, whatever the tokenization", fixed],
  ["perplexity", "perplexity", "among how many equally likely tokens the model chooses, on average", fixed],
  ["top1", "first guess right", "share of tokens that were the likeliest", percent],
  ["top5", "among five", "share of tokens that were among the five likeliest", percent],
  ["calibration_error", "calibration error", "how far the model's confidence lies from how often it is right, on average", (value) => percent(value, 2)],
  ["grammar_errors", "grammar errors", "share of guesses that cannot stand where they were made", (value) => percent(value, 2)],
];

export class Runs {
  constructor(report) {
    this.report = report;
    this.several = report.lines.some(({runs}) => runs.length > 1);
    this.by_line = this.several;
    this.place = element("div");
    this.marks = report.runs.filter(({marks}) => marks.length);
    this.node = element("div", {},
        this.several ? element("div", {class: "controls"}, toggle("each seed by itself", false, (on) => { this.by_line = !on; this.fill(); })) : null,
        this.place, this.standings());
  }

  get relevant() { return this.report.runs.length > 0; }

  draw() {
    if (!this.table) this.fill();
    for (const box of this.place.querySelectorAll("input[type=checkbox]")) box.checked = this.report.shown.has(box.line);
  }

  fill() {
    const {report} = this, rows = this.by_line ? report.lines.map((line) => row_of_line(report, line)) : report.lines.flatMap((line) => line.runs.map((run) => row_of_run(report, line, run)));
    this.table = new DataTable({title: "Runs", noun: this.by_line ? "configuration" : "run", rows, columns: this.columns(rows),
                                row_class: ({marks}) => (marks.length ? "marked" : null)});
    this.place.replaceChildren(this.table.node);
  }

  columns(rows) {
    const {metric} = this.report, has = (key) => rows.some((row) => Number.isFinite(row[key]));
    const scale = extent(rows.filter(({line}) => !line.stranger).flatMap(({value, interval}) => [value, interval?.low ?? NaN, interval?.high ?? NaN]));
    const column = (key, title, explain, text) => ({key, title, explain, numeric: true, minor: kMinor.has(key), of: (row) => row[key], text: (row) => text(row[key])});
    const optional = (key, ...rest) => (has(key) ? [column(key, ...rest)] : []);
    const currency = this.report.runs.map((run) => run.cost?.currency).find(Boolean) ?? "";
    return [
      {key: "name", title: this.by_line ? "configuration" : "run", of: ({name}) => name, node: (row) => this.name(row), wide: true},
      {key: "metric", title: metric.short || metric.name, explain: `${metric.words}, in ${metric.unit}; ${metric.goal === "maximize" ? "more" : "less"} is better`, numeric: true,
       of: ({value}) => value, text: ({value}) => fixed(value), node: ({value, line}) => (line.stranger ? `⚠ ${fixed(value)}` : fixed(value))},
      {key: "interval", title: "95 % interval", explain: "in which the mean lies with 95 % confidence", of: ({interval}) => (interval ? interval.high - interval.low : NaN),
       text: ({interval}) => range(interval), node: (row) => interval_bar(row, scale)},
      ...(rows.some(({marks, state}) => marks.length || state) ? [{key: "marks", title: "remarks", wide: true, of: ({marks, state}) => [state, ...marks].filter(Boolean).join("; "), node: remarks}] : []),
      ...(this.by_line ? optional("seeds", "seeds", "runs of this configuration that differ by their seed alone", String) : optional("seed", "seed", "what the random numbers began with", String)),
      ...(this.by_line ? optional("deviation", "between seeds", "standard deviation of the metric between seeds", fixed) : []),
      ...kMetrics.filter(([key]) => key !== metric.name).flatMap(([key, title, explain, text]) => optional(key, title, explain, text)),
      ...optional("parameters", "parameters", "weights that are learned", large),
      ...optional("tokens", "tokens learned from", "targets that a run has learned from, repeated ones counted each time", large),
      ...optional("flops", "operations", "floating-point operations of training", large),
      ...optional("seconds", "training time", "of one run", duration),
      ...optional("gpu_hours", "GPU-hours", "of one run", hours),
      ...optional("core_hours", "core-hours", "of one run", hours),
      ...optional("money", `cost${currency ? ` (${currency})` : ""}`, "of one run, by the configured price", (value) => fixed(value, 2)),
    ];
  }

  name({name, line, title}) {
    const box = element("input", {type: "checkbox", "aria-label": `Show ${name} in the figures`, on: {change: () => this.report.toggle(line)}});
    box.line = line;
    box.checked = this.report.shown.has(line);
    return element("span", {class: "run-name", title}, box, swatch(style_of(line.index)), element("span", {}, name));
  }

  standings() {
    const standing = this.report.runs.filter((run) => run.standing?.sentence || run.standing?.warning);
    if (standing.length === 0) return null;
    const list = element("dl", {class: "standings"}, ...standing.flatMap((run) => [
      element("dt", {}, run.name),
      element("dd", {}, run.standing.sentence ?? "", run.standing.warning ? element("p", {class: "warning"}, `⚠ ${run.standing.warning}`) : null)]));
    return fold("What each loss means", list, standing.length <= kFewStandings);
  }
}

function row_of_run(report, line, run) {
  const marks = line.stranger ? [line.marks[0], ...run.marks] : run.marks;
  return {name: run.name, title: run.folder, line, value: number_of(run.metrics?.[report.metric.name] ?? null),
          interval: interval_of(run.interval), seed: run.seed === null || run.seed === undefined ? NaN : Number(run.seed), marks, state: run.state === "unfinished" ? `unfinished, step ${run.step}` : "",
          ...figures(run)};
}

/** Of several seeds the means. */
function row_of_line(report, line) {
  const all = line.runs.map(figures), row = {};
  for (const key of Object.keys(all[0] ?? {})) {
    const values = all.map((each) => each[key]).filter(Number.isFinite);
    row[key] = values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN;
  }
  const unfinished = line.runs.filter(({state}) => state === "unfinished").length;
  const state = !unfinished ? "" : line.runs.length === 1 ? `unfinished, step ${line.runs[0].step}` : `${unfinished} of ${line.runs.length} unfinished`;
  return {...row, name: line.name, title: line.runs.map(({folder}) => folder).join("\n"), line, value: line.value, interval: line.interval,
          deviation: line.deviation, seeds: line.runs.length, marks: line.marks, state};
}

function figures(run) {
  const row = {};
  for (const [key] of kMetrics) row[key] = number_of(run.metrics?.[key] ?? null);
  for (const key of ["parameters", "tokens", "flops", "seconds"]) row[key] = number_of(run[key] ?? null);
  for (const key of ["gpu_hours", "core_hours", "money"]) row[key] = number_of(run.cost?.[key] ?? null) || NaN;
  return row;
}

/** The interval on the scale of the whole table, with its numbers. */
function interval_bar({value, interval, line}, [low, high]) {
  if (!Number.isFinite(value)) return "";
  if (line.stranger) return element("span", {class: "interval-text"}, range(interval));
  const at = (x) => 6 + (108 * (x - low)) / (high - low || 1), style = style_of(line.index);
  const bar = interval ? [svg("path", {class: `whisker ${style.colour}`, d: `M${at(interval.low).toFixed(1)} 4v8m0 -4H${at(interval.high).toFixed(1)}m0 -4v8`})] : [];
  return element("span", {class: "interval"},
      svg("svg", {class: "interval-bar", viewBox: "0 0 120 16", "aria-hidden": "true"}, svg("path", {class: "row-line", d: "M0 8H120"}), ...bar,
          svg("path", {class: mark_class(style), d: mark_path(style, at(value), 8, 4)})),
      element("span", {class: "interval-text"}, range(interval)));
}

function remarks({marks, state}) {
  const all = [...(state ? [state] : []), ...marks];
  return all.length ? element("ul", {class: "remarks"}, ...all.map((mark) => element("li", {}, `⚠ ${mark}`))) : "";
}
