// Which lines are shown: one legend for all figures that have several, since one chooses once what to compare.
import {button, element, say} from "../../page/dom.js";
import {count} from "../../page/format.js";
import {style_of, swatch} from "./charts/styles.js";

const kFew = 12;

export class Legend {
  /** `has(line)`: whether there is something of it to show here. */
  constructor(report, has = () => true) {
    Object.assign(this, {report});
    this.lines = report.lines.filter(has);
    this.buttons = new Map(this.lines.map((line) => [line, button("", () => report.toggle(line), {class: "line-toggle", title: line.name})]));
    for (const [line, node] of this.buttons) {
      const seeds = line.runs.length > 1 ? ` (${line.runs.length} seeds)` : "";
      node.append(swatch(style_of(line.index)), element("span", {}, `${line.name}${seeds}`));
    }
    const several = this.lines.length > 1;
    this.note = element("span", {class: "note"});
    this.node = element("div", {class: "lines", role: "group", "aria-label": "Shown in the figures"},
        several ? element("div", {class: "controls"},
                          button("Show all", () => report.show(report.lines), {class: "small"}),
                          this.lines.length > kFew ? button("The ten best", () => report.show(report.best()), {class: "small"}) : null,
                          button("None", () => report.show([]), {class: "small"}), this.note) : null,
        element("div", {class: this.lines.length > kFew ? "line-list many" : "line-list"}, ...this.buttons.values()));
    report.follow(() => this.draw());
    this.draw();
  }

  draw() {
    const {report} = this;
    for (const [line, node] of this.buttons) node.setAttribute("aria-pressed", String(report.shown.has(line)));
    const shown = this.lines.filter((line) => report.shown.has(line)).length;
    say(this.note, shown === this.lines.length ? "" : `${shown} of ${count(this.lines.length, "line")} shown`);
  }
}
