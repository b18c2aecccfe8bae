// The page that listeners open: a word to begin with, one comparison after the other, and the answers as a file.
import {button, element, say} from "../../../page/dom.js";
import {comparison_view} from "./comparison.js";
import {order_for} from "./order.js";
import {answered, begin_anew, count_answered, file_of, keep, kept} from "./progress.js";

const session = JSON.parse(document.getElementById("session").textContent);
const main = document.getElementById("main"), aloud = document.getElementById("aloud");
let progress = kept(session.session) ?? begin_anew();
let order = order_for(progress.listener, session.rounds);
let view = null, next = null;

function show(title, ...nodes) {
  const heading = element("h1", {tabindex: -1}, title);
  main.replaceChildren(heading, ...nodes);
  heading.focus({preventScroll: true});
  scrollTo({top: 0, behavior: "instant"});
}

function leave() {
  view?.leave();
  view = next = null;
}

function changed() {
  progress.saved = 0;
  const could = keep(session.session, progress);
  if (!could) say(aloud, "This browser keeps nothing: save your answers before you close the page.");
  if (next) next.disabled = !answered(progress.answers[order[progress.at].comparison]);
}

function start() {
  leave();
  const done = count_answered(progress);
  const minutes = Math.ceil(order.length * (2 * session.seconds + 10) / 60);
  const name = element("input", {type: "text", maxlength: 60, autocomplete: "off", value: progress.name, on: {input: () => {
    progress.name = name.value.trim();
    changed();
  }}});
  show("Listening test",
       element("p", {}, `You will hear short pieces of music, two at a time, and say which you prefer: ${order.length} comparisons of two pieces of ` +
               `${Math.round(session.seconds)} seconds, about ${minutes === 1 ? "a minute" : `${minutes} minutes`} if you hear everything to its end. You may stop at any time; this browser remembers where you were.`),
       element("p", {}, "Who or what made a piece is not told, and cannot be found in this page. Use headphones or good loudspeakers, and set the volume with the first piece."),
       element("label", {class: "field"}, element("span", {}, "Your name or a nickname (may stay empty)"), name),
       element("div", {class: "buttons"}, button(done ? `Go on (${done} of ${order.length} answered)` : "Begin", () => compare(done ? progress.at : 0), {class: "primary"}),
               done ? button("Somebody else listens now", another) : null));
}

function compare(at) {
  leave();
  progress.at = Math.max(0, Math.min(order.length - 1, at));
  const pair = order[progress.at];
  const answer = (progress.answers[pair.comparison] ??= {choices: session.questions.map(() => null), known: [false, false], heard: [0, 0], plays: [0, 0]});
  view = comparison_view(session, pair, answer, changed);
  const last = progress.at === order.length - 1;
  const forward = () => (progress.at === order.length - 1 ? finish() : compare(progress.at + 1));
  next = button(last ? "To the end" : "Next", forward, {class: "primary next"});
  show(`Comparison ${progress.at + 1} of ${order.length}`,
       element("progress", {max: order.length, value: count_answered(progress), "aria-label": "How many are answered"}),
       ...view.nodes,
       element("div", {class: "steps"}, button("Back", () => (progress.at === 0 ? start() : compare(progress.at - 1))), next),
       element("div", {class: "below"},
               element("p", {class: "note keys"}, "Keys: ", element("kbd", {}, "1"), " and ", element("kbd", {}, "2"), " play and stop, ",
                       element("kbd", {}, "←"), " the first, ", element("kbd", {}, "→"), " the second, ", element("kbd", {}, "↓"), " no preference, ",
                       element("kbd", {}, "Enter"), " next."),
               button("Stop here and save", finish)));
  changed();
}

function save() {
  const file = file_of(session, progress, order);
  const address = URL.createObjectURL(new Blob([file.text], {type: "application/json"}));
  const link = element("a", {href: address, download: file.name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  remember_saved(`Saved as ${file.name} where your browser puts downloads.`);
}

async function copy(text) {
  const area = document.querySelector("textarea");
  area.select();
  try {
    await navigator.clipboard.writeText(text);
    remember_saved("Copied; paste it into a message.");
  } catch {
    say(aloud, "");
    say(document.querySelector(".hint"), "The text is marked: copy it with your browser's own menu.");
  }
}

function remember_saved(words) {
  progress.saved = count_answered(progress);
  keep(session.session, progress);
  say(document.querySelector(".hint"), words);
}

function finish() {
  leave();
  const done = count_answered(progress);
  const {text} = file_of(session, progress, order);
  const complete = done === order.length;
  const open = order.findIndex(({comparison}) => !answered(progress.answers[comparison]));
  show(complete ? "Thank you!" : `${done} of ${order.length} answered`,
       element("p", {}, complete ? "You have answered everything. " : "What you have answered counts, also if you go no further. ",
               "Save your answers, and send the file to the person who gave you this page."),
       element("div", {class: "buttons"}, button("Save my answers", save, {class: "primary save", disabled: done === 0}),
               button("Copy as text", () => copy(text), {disabled: done === 0})),
       element("p", {class: "hint", role: "status"}),
       element("textarea", {readonly: true, "aria-label": "Your answers as text", spellcheck: "false"}, text),
       element("div", {class: "steps"}, button("Back to the comparisons", () => compare(complete ? progress.at : open)), button("Somebody else listens now", another)));
}

/** On the same device. Answers that were not saved are only thrown away when that is pressed twice. */
function another(event) {
  if (count_answered(progress) > progress.saved && !event.target.classList.contains("danger")) {
    event.target.classList.add("danger");
    say(event.target, "Not saved yet: press again to throw the answers away");
    return;
  }
  progress = begin_anew();
  order = order_for(progress.listener, session.rounds);
  start();
}

document.addEventListener("keydown", (event) => {
  if (!view || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=text], textarea")) return;
  const on_button = event.target.matches("button, input");
  if (event.key === "Enter" && !on_button && next && !next.disabled) {
    event.preventDefault();
    next.click();
  } else if (view.key(event.key)) {
    event.preventDefault();
  }
});

start();
