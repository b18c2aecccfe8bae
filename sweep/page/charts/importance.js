// How much of the objective's variance each parameter explains, as the controller works it out (fANOVA).
import {element, say, svg} from "../../../page/dom.js";
import {get} from "../client.js";
import {count, number_of} from "../../../page/format.js";

const kPatience = 15000;  // it takes the controller some work

export class Importance {
  constructor(context) {
    this.context = context;
    this.asked = "";
    this.when = -Infinity;
    this.note = element("p", {class: "note"});
    this.body = element("tbody");
    this.node = element("div", {},
        element("table", {class: "importance"},
                element("thead", {}, element("tr", {}, ...["parameter", "share of the variance", ""].map((text) =>
                    element("th", {scope: "col"}, text)))),
                this.body),
        this.note);
  }

  async draw() {
    const {study, objective} = this.context, n = study.finished(objective).length;
    const question = `${study.incarnation} ${objective} ${n}`;
    const other_objective = this.objective !== objective;
    if (question === this.asked || (!other_objective && performance.now() - this.when < kPatience)) return;
    this.asked = question;
    this.objective = objective;
    this.when = performance.now();
    try {
      const {parameters, trials} = await get(`importance?objective=${objective}`);
      if (this.objective !== objective) return;
      this.show(parameters);
      say(this.note, parameters.length ? `From ${count(trials, "trial")}; the thin line is the deviation between trees.`
                                       : "Takes some complete trials that differ.");
    } catch (failure) {
      this.asked = "";
      say(this.note, failure.message);
    }
  }

  show(parameters) {
    const rows = parameters.map(({name, importance, deviation}) => ({name, share: number_of(importance), deviation: number_of(deviation)}))
        .sort((a, b) => b.share - a.share);
    this.body.replaceChildren(...rows.map(({name, share, deviation}) => {
      const spread = Number.isFinite(deviation) ? deviation : 0, x = (part) => Math.min(100, Math.max(0, part * 100)) || 0;
      return element("tr", {}, element("th", {scope: "row"}, name),
          element("td", {class: "bar"}, svg("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
              svg("rect", {class: "bar-back", x: 0, y: 0, width: 100, height: 10}),
              svg("rect", {class: "bar-fill", x: 0, y: 0, width: x(share), height: 10}),
              svg("path", {class: "bar-spread", d: `M${x(share - spread)} 5H${x(share + spread)}`}))),
          element("td", {class: "number"}, `${share.toFixed(2)} ± ${spread.toFixed(2)}`));
    }));
  }
}
