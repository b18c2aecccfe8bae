// Puts the page together: what is in sight is drawn again whenever the study has changed.
import {button, choice, element, say, set_options} from "../../page/dom.js";
import {keep_token, Poller} from "./client.js";
import {Study} from "./study.js";
import {Actions} from "./actions.js";
import {Details} from "./details.js";
import {Header} from "./header.js";
import {Table} from "./table.js";
import {open_dialog} from "../../page/dialog.js";
import {BestHistory} from "./charts/history.js";
import {Contour} from "./charts/contour.js";
import {Curves} from "./charts/curves.js";
import {Importance} from "./charts/importance.js";
import {Parallel} from "./charts/parallel.js";
import {Pareto} from "./charts/pareto.js";
import {Slices} from "./charts/slices.js";
import {Timeline} from "./charts/timeline.js";

const by_id = (id) => document.getElementById(id);

const context = {
  study: new Study(),
  objective: 0,
  open: (number) => details.open(number),
  open_target: ({trial}) => details.open(trial.number),  // what a chart has under the pointer
  announce: (sentence) => { say_for_a_while(sentence); poller.now(); },
};
const actions = new Actions(context);
const details = new Details(context, actions);
const header = new Header(context, actions);

const kSections = [
  ["history", "Best so far", BestHistory, "half"],
  ["curves", "Learning curves", Curves, "half"],
  ["pareto", "Pareto front", Pareto, ""],
  ["trials", "Trials", Table, ""],
  ["parallel", "Parallel coordinates", Parallel, ""],
  ["slices", "Slices", Slices, ""],
  ["contour", "Contour", Contour, "half"],
  ["importance", "Importance", Importance, "half"],
  ["timeline", "Time line", Timeline, ""],
];

/** A part of the page; drawn when it is in sight and something has changed since. */
class Section {
  constructor(id, title, View, size) {
    this.view = new View(context);
    this.node = element("section", {id, class: size, "aria-labelledby": `${id}-title`}, element("h2", {id: `${id}-title`}, title), this.view.node);
    this.link = element("a", {href: `#${id}`}, title);
    this.drawn = "";
    this.seen = false;
  }

  draw(anyhow = false) {
    const relevant = this.view.relevant ?? true;
    this.node.hidden = this.link.hidden = !relevant;
    if (!relevant || !(this.seen || anyhow)) return;
    const state = [context.study.version, context.objective, this.node.clientWidth, this.view.moves ? context.study.info.now : 0].join();
    if (state === this.drawn) return;
    this.drawn = state;
    this.view.draw();
  }
}

const sections = kSections.map((each) => new Section(...each));
by_id("main").append(...sections.map(({node}) => node));
const objective = choice("objective", [], 0, (chosen) => { context.objective = chosen; draw(); }, {id: "objective"});
by_id("sections").append(...sections.map(({link}) => link), objective.node);

function draw() {
  if (!context.study.info) return;
  objective.node.hidden = context.study.metrics.length < 2;
  set_options(objective.select, context.study.metrics, context.objective);
  header.draw();
  for (const section of sections) section.draw();
  details.draw();
}

const watcher = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) sections.find(({node}) => node === target).seen = isIntersecting;
  draw();
}, {rootMargin: "200px"});
for (const {node} of sections) watcher.observe(node);
let resized = 0;
new ResizeObserver(() => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(draw);
}).observe(by_id("main"));
window.addEventListener("beforeprint", () => { if (context.study.info) for (const section of sections) section.draw(true); });

// ---- what the page says of itself ----
const away = by_id("away");
let quiet = 0;

function say_for_a_while(sentence) {
  clearTimeout(quiet);
  away.className = "banner done";
  away.replaceChildren(sentence);
  away.hidden = false;
  quiet = setTimeout(() => { away.hidden = true; }, 6000);
}

function say_away(failure, seconds) {
  clearTimeout(quiet);
  away.className = "banner";
  const shown = context.study.info ? " What is shown is what it said last." : "";
  const when = seconds > 0 ? ` Trying again in ${Math.round(seconds)} s. ` : " ";
  away.replaceChildren(failure.message, shown, when, button(seconds > 0 ? "Try now" : "Enter the token", () => poller.now()));
  away.hidden = false;
}

function ask_token(failure) {
  if (document.querySelector("dialog.token")) {
    say(document.querySelector("dialog.token .error"), failure.message);
    return;
  }
  const input = element("input", {type: "password", autocomplete: "current-password", "aria-label": "Token"});
  const error = element("p", {class: "error", role: "alert"});
  const form = element("form", {method: "dialog"},
      element("p", {}, "The controller wants its token; it is in the token file of the sweep's folder. It is kept until this tab is closed."),
      input, error, element("div", {class: "buttons"}, element("button", {type: "submit", class: "primary"}, "Unlock")));
  const dialog = open_dialog("Token", form, {class: "token narrow"});
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say(error, "");
    keep_token(input.value.trim());
    await poller.now();
  });
  dialog.addEventListener("close", () => { if (poller.waiting) say_away(failure, 0); });
  input.focus();
}

const poller = new Poller(context.study, {
  changed: () => {
    document.querySelector("dialog.token")?.close();
    if (!away.classList.contains("done")) away.hidden = true;
    draw();
  },
  away: say_away,
  locked: ask_token,
});
poller.now();
