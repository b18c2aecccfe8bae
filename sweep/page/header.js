// The top of the page: how the sweep stands at one look.
import {button, element, say} from "../../page/dom.js";
import {count, duration, number, value as shown} from "../../page/format.js";
import {kStates} from "./study.js";
import {badge} from "./charts/marks.js";

const by_id = (id) => document.getElementById(id);

export class Header {
  constructor(context, actions) {
    Object.assign(this, {context, actions, seen: ""});
  }

  draw() {
    const {study} = this.context, {info} = study;
    say(by_id("name"), info.name);
    document.title = `${info.name} – sweep`;
    say(by_id("state"), info.over ? `over: ${info.over}` : info.counts?.RUNNING > 0 ? "running" : "waiting for workers");
    by_id("state").classList.toggle("over", Boolean(info.over));
    this.budget();
    if (this.seen === `${study.version} ${this.context.objective}`) return;  // what is being selected stays
    this.seen = `${study.version} ${this.context.objective}`;
    this.counts();
    this.best();
    this.buttons();
    const {sampler, pruner} = info;
    say(by_id("footer"), [sampler?.kind && `sampler ${sampler.kind}`, pruner?.kind && `pruner ${pruner.kind}`, info.version && `etude ${info.version}`,
                          info.read_only && "read only"].filter(Boolean).join(" · "));
  }

  buttons() {
    const {actions} = this, {info} = this.context.study;
    const shown = [info.best?.length > 0, actions.allowed, actions.allowed && !info.over];
    if (this.shown === String(shown)) return;  // a button that is replaced between press and release swallows the click
    this.shown = String(shown);
    by_id("buttons").replaceChildren(...[
      button("Best as YAML", () => actions.best_as_yaml()),
      button("Enqueue…", () => actions.enqueue()),
      button("Stop…", () => actions.stop(), {class: "danger"}),
    ].filter((_, i) => shown[i]));
  }

  counts() {
    const {counts = {}} = this.context.study.info;
    by_id("counts").replaceChildren(element("h2", {}, "Trials"), element("ul", {class: "counts"}, ...kStates
        .filter((state) => counts[state])
        .map((state) => element("li", {}, element("strong", {}, counts[state].toLocaleString("en")), " ", badge(state)))));
  }

  best() {
    const {study, open} = this.context, {best = []} = study.info, place = by_id("best");
    if (best.length === 0) {
      place.replaceChildren(element("h2", {}, "Best"), element("p", {class: "note"}, "No trial is complete yet."));
      return;
    }
    const link = (n) => button(`trial ${n}`, () => open(n), {class: "link"});
    if (study.directions.length > 1) {
      place.replaceChildren(element("h2", {}, "Pareto front"), element("p", {}, `${count(best.length, "trial")} that no other beats in everything: `,
          ...best.slice(0, 12).flatMap((n, i) => (i ? [", ", link(n)] : [link(n)])), best.length > 12 ? " …" : ""));
      return;
    }
    const trial = study.trial(best[0]);
    if (!trial) return;
    place.replaceChildren(element("h2", {}, `Best ${study.metrics[0]}`),
        element("p", {class: "best-value"}, element("strong", {}, number(trial.values[0], 6)), " ", link(trial.number)),
        element("dl", {class: "compact"}, ...Object.entries(trial.parameters).flatMap(([name, value]) =>
            element("div", {}, element("dt", {}, name), element("dd", {}, shown(value))))));
  }

  /** A bar for each that has a bound; of the others what was spent. */
  budget() {
    const {budget = {}, spent = {}} = this.context.study.info;
    const hours = (h) => `${number(h, 3)} h`, money = (c) => `${number(c)}${budget.currency ? ` ${budget.currency}` : ""}`;
    const kinds = [["trials", "trials", (n) => n.toLocaleString("en")], ["wall", "wall clock", duration], ["gpu_hours", "GPU hours", hours],
                   ["core_hours", "core hours", hours], ["cost", "cost", money]];
    const rows = kinds.filter(([key]) => typeof budget[key] === "number" || spent[key] > 0).map(([key, title, text]) => {
      const used = spent[key] ?? 0, bound = budget[key];
      if (typeof bound !== "number") return element("li", {}, element("span", {}, title), element("span", {}, `${text(used)} spent, no bound`));
      const left = Math.max(0, bound - used);
      return element("li", {}, element("span", {}, title), element("span", {}, `${text(used)} of ${text(bound)}, ${text(left)} left`),
                     element("progress", {max: bound, value: Math.min(used, bound), "aria-label": `${title} spent`}));
    });
    by_id("budget").replaceChildren(element("h2", {}, "Budget"), rows.length ? element("ul", {class: "budget"}, ...rows)
                                                                             : element("p", {class: "note"}, "No bound is set."));
  }
}
