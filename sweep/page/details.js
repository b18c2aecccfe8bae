// All that is known of one trial, and what can be done with it; kept up to date while it is open.
import {button, element, say} from "../../page/dom.js";
import {open_dialog} from "../../page/dialog.js";
import {duration, moment, number, value as shown} from "../../page/format.js";
import {worked} from "./study.js";
import {badge} from "./charts/marks.js";
import {draw_curves} from "./charts/curves.js";
import {Plot} from "../../page/charts/plot.js";

export class Details {
  constructor(context, actions) {
    this.context = context;
    this.actions = actions;
    this.number = null;
  }

  open(trial) {
    this.dialog?.close();
    this.number = trial;
    this.seen = "";
    this.plot = new Plot({label: `Learning curve of trial ${trial}`, height: 220});
    this.facts = element("div");
    this.dialog = open_dialog(`Trial ${trial}`, element("div", {}, this.facts, this.plot.node, this.rest = element("div")), {class: "details"});
    this.dialog.addEventListener("close", () => { this.dialog = null; });
    this.draw();
  }

  draw() {
    if (!this.dialog) return;
    const {study} = this.context, trial = study.trial(this.number);
    if (!trial) {
      say(this.facts, "There is no such trial any more.");
      return;
    }
    const seen = `${study.version}`;
    if (seen === this.seen) return;
    this.seen = seen;
    this.facts.replaceChildren(this.buttons(trial), this.summary(trial));
    this.plot.node.hidden = trial.reports.length === 0;
    if (trial.reports.length > 0) draw_curves(this.plot, [trial], {log_x: false, log_y: false, y_title: study.metrics[0]});
    this.rest.replaceChildren(
        table("Parameters", ["name", "value"], Object.entries(trial.parameters).map(([name, value]) => [name, shown(value)])),
        table("Attributes", ["name", "value"], Object.entries(trial.user_attributes).map(([name, value]) => [name, shown(value)])),
        table("Where it ran", ["worker", "host", "from", "for", "uses"], trial.stints.map((stint) => [
          stint.worker, stint.host, moment(stint.began), duration((stint.open ? study.info.now : stint.ended) - stint.began) + (stint.open ? ", still" : ""),
          [[stint.nodes, "nodes"], [stint.cores, "cores"], [stint.gpus, "GPUs"]].filter(([n]) => n).map(([n, noun]) => `${number(n)} ${noun}`).join(", ")])),
        table("Reports", ["step", study.metrics[0]], trial.reports.slice(-200).map(([step, value]) => [number(step), number(value, 6)])));
  }

  summary(trial) {
    const {study} = this.context;
    const facts = [["State", badge(trial.state)]];
    study.metrics.forEach((metric, i) => { if (i in trial.values) facts.push([metric, number(trial.values[i], 6)]); });
    if (trial.reason) facts.push(["Reason", String(trial.reason)]);
    if (!Number.isNaN(trial.began)) facts.push(["Began", moment(trial.began)], ["Worked on for", duration(worked(trial, study.info.now))]);
    if (!Number.isNaN(trial.ended)) facts.push(["Ended", moment(trial.ended)]);
    if (typeof trial.parent === "number") facts.push(["Goes on from", button(`trial ${trial.parent}`, () => this.open(trial.parent), {class: "link"})]);
    if (trial.retries) facts.push(["Retries", String(trial.retries)]);
    if (trial.folder) facts.push(["Folder", element("code", {}, trial.folder)]);
    return element("dl", {}, ...facts.flatMap(([name, content]) => [element("dt", {}, name), element("dd", {}, content)]));
  }

  buttons(trial) {
    if (!this.actions.allowed) return element("div");
    const {number: n, state} = trial;
    return element("div", {class: "buttons"},
        ["RUNNING", "PAUSED"].includes(state) ? button("Prune…", () => this.actions.prune(n)) : null,
        ["FAIL", "PRUNED"].includes(state) ? button("Retry…", () => this.actions.retry(n)) : null,
        button("Enqueue one like it…", () => this.actions.enqueue(trial)));
  }
}

function table(title, heads, rows) {
  if (rows.length === 0) return element("div");
  return element("section", {}, element("h3", {}, title), element("div", {class: "scroll"}, element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {scope: "col"}, head)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell ?? ""))))))));
}
