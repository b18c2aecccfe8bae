// Puts the report together: what is in sight is drawn, and drawn again when what is shown has changed.
import {element} from "../../page/dom.js";
import {list, Report} from "./report.js";
import {Breakdown} from "./sections/breakdown.js";
import {Calibration} from "./sections/calibration.js";
import {Comparisons} from "./sections/comparisons.js";
import {Configuration} from "./sections/configuration.js";
import {Confusion} from "./sections/confusion.js";
import {CopyingSection} from "./sections/copying.js";
import {Curves} from "./sections/curves.js";
import {Music} from "./sections/music.js";
import {Pieces} from "./sections/pieces.js";
import {Positions} from "./sections/positions.js";
import {Preferences} from "./sections/preferences.js";
import {Provenance} from "./sections/provenance.js";
import {Runs} from "./sections/runs.js";

const by_id = (id) => document.getElementById(id);

const kSections = [
  ["runs", "Runs", Runs],
  ["comparisons", "Which is better", Comparisons],
  ["curves", "Learning curves", Curves],
  ["positions", "Loss by position", Positions],
  ["breakdown", "Parts of the music", Breakdown],
  ["calibration", "Calibration", Calibration],
  ["confusion", "Mistakes", Confusion],
  ["music", "Generated music", Music],
  ["copying", "Copying", CopyingSection],
  ["pieces", "Pieces", Pieces],
  ["preferences", "Listeners", Preferences],
  ["configuration", "Configuration", Configuration],
  ["provenance", "Provenance", Provenance],
];

const report = new Report(JSON.parse(by_id("model").textContent));

/** The first words: what a reader should know who reads nothing else. */
function write_top() {
  const {made = {}, summary} = report.model, {metric} = report;
  const when = made.at ? new Date(made.at) : null;
  by_id("top").replaceChildren(
      element("h1", {}, report.title),
      element("div", {class: "summary"}, ...list(summary).map((sentence) => element("p", {}, String(sentence)))),
      element("p", {class: "note"}, [metric.split ? `Measured on the ${metric.split} split by ${metric.words}${metric.unit ? ` (${metric.unit})` : ""}; ${metric.goal === "maximize" ? "more" : "less"} is better.` : "",
                                      "Intervals are of 95 %."].filter(Boolean).join(" ")));
  by_id("footer").textContent = [made.program, made.revision && `revision ${made.revision}`, when && !Number.isNaN(when.getTime()) ? when.toLocaleString() : made.at].filter(Boolean).join(" · ");
}

/** A part of the page; drawn when it is in sight and its width, or what is shown, is new. */
class Section {
  constructor(id, title, View) {
    this.view = new View(report);
    this.relevant = this.view.relevant;
    if (!this.relevant) return;
    this.node = element("section", {id, "aria-labelledby": `${id}-title`}, element("h2", {id: `${id}-title`}, title), this.view.node);
    this.link = element("a", {href: `#${id}`}, title);
    this.drawn = "";
    this.seen = false;
  }

  draw(anyhow = false) {
    const state = `${this.node.clientWidth} ${report.version} ${anyhow}`;
    if (!(this.seen || anyhow) || state === this.drawn) return;
    this.drawn = state;
    this.view.draw();
  }
}

write_top();
const sections = kSections.map((each) => new Section(...each)).filter(({relevant}) => relevant);
by_id("main").append(...sections.map(({node}) => node));
by_id("sections").append(...sections.map(({link}) => link));

const draw = () => { for (const section of sections) section.draw(); };
const watcher = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) sections.find(({node}) => node === target).seen = isIntersecting;
  draw();
}, {rootMargin: "300px"});
for (const {node} of sections) watcher.observe(node);
let resized = 0;
new ResizeObserver(() => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(draw);
}).observe(by_id("main"));
report.follow(draw);

// On paper everything is in sight, and drawn for its width: shrunk, the figures could not be read.
const kPaper = 718;  // pixels between the margins of A4; Letter has a few more
window.addEventListener("beforeprint", () => {
  by_id("main").style.maxWidth = `${kPaper}px`;
  for (const section of sections) section.draw(true);
});
window.addEventListener("afterprint", () => {
  by_id("main").style.maxWidth = "";
  draw();
});
