// Who ran where and when: a bar for each time that somebody worked on a trial.
import {choice, element, say, set_options, svg} from "../../../page/dom.js";
import {kStates} from "../study.js";
import {clock, duration} from "../../../page/format.js";
import {legend, mark_class, state_name} from "./marks.js";
import {Plot, shortened} from "../../../page/charts/plot.js";

const kMost = 3000;
const kMostRows = 60;
const kRow = 16;

export class Timeline {
  constructor(context) {
    this.context = context;
    this.by = null;  // "worker" or "host"; until one is chosen, whichever makes few rows
    this.choice = choice("rows", ["worker", "host"], 0, (chosen) => { this.by = ["worker", "host"][chosen]; this.draw(); });
    this.plot = new Plot({label: "Who worked on which trial and when", open: context.open_target, height: 72, margin: {left: 120, bottom: 24}});
    this.note = element("p", {class: "note"});
    this.node = element("div", {}, element("div", {class: "controls"}, this.choice.node), this.plot.node,
                        legend(kStates.filter((state) => state !== "WAITING")), this.note);
  }

  get moves() { return true; }  // bars grow with time

  draw() {
    const {study} = this.context, {plot} = this, now = study.info.now;
    const stints = study.trials.flatMap((trial) => trial.stints.map((stint) => ({trial, ...stint, ended: stint.open ? Math.max(now, stint.ended) : stint.ended})))
        .sort((a, b) => a.began - b.began);
    const shown = stints.slice(-kMost);
    const by = this.by ?? (new Set(shown.map(({worker}) => worker)).size <= 24 ? "worker" : "host");
    set_options(this.choice.select, ["worker", "host"], by === "worker" ? 0 : 1);
    const rows = lanes(shown, by), kept = rows.slice(0, kMostRows);
    plot.height = 40 + kRow * Math.max(2, kept.length);
    plot.margin.left = Math.min(150, Math.max(60, (plot.stage.clientWidth || 600) * 0.22));
    plot.begin();
    say(this.note, [shown.length < stints.length ? `The last ${kMost} of ${stints.length} stints.` : "",
                    kept.length < rows.length ? `${rows.length - kept.length} more rows are not drawn.` : ""].join(" "));
    if (shown.length === 0) {
      plot.empty("Nothing has run yet");
      return;
    }
    const first = shown[0].began, last = Math.max(first + 1, ...shown.map(({ended}) => ended));
    const at = (time) => plot.left + ((time - first) / (last - first)) * (plot.right - plot.left);
    this.frame(first, last, at, kept);
    const bars = new Map(), labels = [];
    kept.forEach(({stints: row}, i) => {
      const y = plot.top + i * kRow;
      for (const stint of row) {
        const x = at(stint.began), end = Math.max(x + 1.5, at(stint.ended) - 0.5), {state} = stint.trial;
        if (!bars.has(state)) bars.set(state, "");
        bars.set(state, bars.get(state) + bar(state, x, y + 2, end - x, kRow - 4));
        if (end - x > 26) labels.push(svg("text", {class: `span-label ${state}`, x: x + 4, y: y + 12}, String(stint.trial.number)));
        plot.targets.push({trial: stint.trial, x, x2: end, y: y + kRow / 2, text: `trial ${stint.trial.number} (${state_name(stint.trial.state)}): ` +
            `${stint.worker} on ${stint.host || "?"}, ${duration(stint.ended - stint.began)} from ${clock(stint.began, last - first)}${stint.open ? ", still" : ""}`,
            outline: () => `M${x} ${y + 1}H${end}v${kRow - 2}H${x}z`});
      }
    });
    for (const [state, d] of bars) plot.add(svg("path", {class: `span ${mark_class(state)}`, d}));
    plot.add(...labels);
    plot.reach = kRow;
    plot.finish();
  }

  frame(first, last, at, rows) {
    const {plot} = this;
    const wanted = Math.max(2, Math.floor((plot.right - plot.left) / 90));
    let grid = "";
    for (let i = 0; i <= wanted; ++i) {
      const time = first + ((last - first) * i) / wanted;
      grid += `M${at(time).toFixed(1)} ${plot.top}V${plot.bottom}`;
      plot.add(svg("text", {class: "tick", x: at(time), y: plot.bottom + 15, "text-anchor": i === wanted ? "end" : i === 0 ? "start" : "middle"},
                   clock(time, last - first)));
    }
    plot.base.prepend(svg("path", {class: "grid", d: grid}));
    rows.forEach(({name}, i) => plot.add(svg("text", {class: "tick", x: plot.left - 6, y: plot.top + i * kRow + 12, "text-anchor": "end"},
                                             shortened(name, Math.floor(plot.margin.left / 6.6)))));
  }
}

/** States differ in shape as well: what runs points on, what was pruned is cut, what failed is hollow, a pause is thin. */
function bar(state, x, y, width, height) {
  const cut = Math.min(5, width / 2), from = `M${x.toFixed(1)} `, long = width.toFixed(1), short = (width - cut).toFixed(1);
  if (state === "RUNNING") return `${from}${y}h${short}l${cut} ${height / 2}l${-cut} ${height / 2}h${-short}z`;
  if (state === "PRUNED") return `${from}${y}h${short}l${cut} ${height}h${-long}z`;
  if (state === "PAUSED") return `${from}${y + height / 3}h${long}v${height / 3}h${-long}z`;
  return `${from}${y}h${long}v${height}h${-long}z`;
}

/** Rows in which no two bars lie over each other: [{name, stints}]; only the first row of a group is named. */
function lanes(stints, by) {
  const groups = new Map();
  for (const stint of stints) {
    const name = stint[by] || "?";
    if (!groups.has(name)) groups.set(name, []);
    const rows = groups.get(name), free = rows.find((row) => row[row.length - 1].ended <= stint.began + 0.5);
    if (free) free.push(stint);
    else rows.push([stint]);
  }
  const order = new Intl.Collator("en", {numeric: true});
  return [...groups].sort(([a], [b]) => order.compare(a, b))
      .flatMap(([name, rows]) => rows.map((row, i) => ({name: i === 0 ? name : "", stints: row})));
}
