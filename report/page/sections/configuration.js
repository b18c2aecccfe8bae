// In what the runs differ, and all options of each.
import {choice, element} from "../../../page/dom.js";
import {value as shown} from "../../../page/format.js";
import {fold} from "../figure.js";
import {entries, list} from "../report.js";
import {DataTable} from "../table.js";

const kFewRuns = 6;  // with which runs are columns

export class Configuration {
  constructor(report) {
    this.report = report;
    this.differences = list(report.model.differences).filter(({values}) => Array.isArray(values));
    this.configured = report.runs.filter(({config}) => entries(config).length > 0);
    if (!this.relevant) return;
    this.whole = element("div");
    const which = choice("run", this.configured.map(({name}) => name), 0, (i) => this.fill(this.configured[i]), {class: "of-run"});
    this.node = element("div", {}, this.difference_table(),
        this.configured.length ? fold("All options of a run", element("div", {}, element("div", {class: "controls"}, which.node), this.whole)) : null);
    if (this.configured.length) this.fill(this.configured[0]);
  }

  get relevant() { return this.differences.length > 0 || this.configured.length > 0; }

  draw() {}

  difference_table() {
    const {runs} = this.report, told = (json) => (json === null || json === undefined ? "–" : shown(json));
    if (this.differences.length === 0) return element("p", {}, runs.length > 1 ? "The runs have the same configuration." : "");
    const by_key = runs.length <= kFewRuns;
    const columns = by_key ? [{key: "key", title: "option", of: ({key}) => key}, ...runs.map((run, i) => ({key: run.id, title: run.name, of: ({values}) => values[i], text: ({values}) => told(values[i])}))]
                           : [{key: "run", title: "run", of: ({run}) => run.name, wide: true},
                              ...this.differences.map(({key, values}) => ({key, title: key, of: ({i}) => values[i], text: ({i}) => told(values[i])}))];
    const rows = by_key ? this.differences : runs.map((run, i) => ({run, i}));
    return new DataTable({title: "Differences of configuration", noun: by_key ? "option" : "run", rows, columns}).node;
  }

  fill(run) {
    this.whole.replaceChildren(new DataTable({title: `Options of ${run.name}`, noun: "option", filter: true, rows: entries(run.config).map(([key, json]) => ({key, json})),
        columns: [{key: "key", title: "option", of: ({key}) => key}, {key: "value", title: "value", of: ({json}) => (typeof json === "object" ? JSON.stringify(json) : json), text: ({json}) => shown(json)}]}).node);
  }
}
