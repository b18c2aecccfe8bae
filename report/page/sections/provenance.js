// On what each run was made, and by what this report was.
import {element} from "../../../page/dom.js";
import {key_of} from "../../../page/format.js";
import {fold} from "../figure.js";
import {entries} from "../report.js";
import {DataTable} from "../table.js";
import {plain} from "../words.js";

export class Provenance {
  constructor(report) {
    this.report = report;
    const runs = report.runs.filter(({environment}) => entries(environment).length > 0);
    this.runs = runs;
    if (!this.relevant) return;
    const keys = [...new Set(runs.flatMap(({environment}) => Object.keys(environment)))];
    const same = keys.filter((key) => new Set(runs.map(({environment}) => key_of(environment[key]))).size === 1);
    const differing = keys.filter((key) => !same.includes(key));
    this.node = element("div", {},
        same.length ? element("div", {}, element("h3", {}, runs.length > 1 ? "The same for all runs" : "The run"),
                              element("dl", {}, ...same.flatMap((key) => [element("dt", {}, words(key)), element("dd", {}, plain(runs[0].environment[key]))]))) : null,
        differing.length ? element("div", {}, element("h3", {}, "Different"), new DataTable({title: "Environments", noun: "run", rows: runs, columns: [
          {key: "name", title: "run", of: ({name}) => name, wide: true},
          ...differing.map((key) => ({key, title: words(key), of: ({environment}) => environment[key], text: ({environment}) => plain(environment[key])}))]}).node) : null,
        fold("Where the runs lie", new DataTable({title: "Folders", noun: "run", rows: report.runs, columns: [
          {key: "name", title: "run", of: ({name}) => name, wide: true}, {key: "folder", title: "folder", wide: true, of: ({folder}) => folder},
          {key: "step", title: "step", numeric: true, of: ({step}) => step}, {key: "state", title: "state", of: ({state}) => state}]}).node));
  }

  get relevant() { return this.runs.length > 0; }

  draw() {}
}

function words(key) {
  return key.replaceAll("_", " ");
}
