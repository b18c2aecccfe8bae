// One comparison: two pieces to play, and what is asked about them.
import {button, element, say} from "../../../page/dom.js";
import {answered} from "./progress.js";
import {sound_of} from "./sound.js";

const kNames = ["first", "second"];
const kAnswers = [["first", "The first"], ["neither", "No preference"], ["second", "The second"]];

/**
 * `answer` is filled in as things are pressed, and `changed` called each time. The second piece can be played once the
 * first was heard for `session.hear` seconds, so that "first" means the same for everybody; answers, once both were.
 */
export function comparison_view(session, pair, answer, changed) {
  const sounds = kNames.map((name, i) => sound_of(pair[name], session.seconds, () => came_to_its_end(i)));
  const heard_enough = (i) => answer.heard[i] >= session.hear;
  const may_play = (i) => i === 0 || heard_enough(0);
  const may_answer = () => heard_enough(0) && heard_enough(1);
  let before = 0, timer = null;

  const cards = kNames.map((name, i) => {
    const play = button("", () => press_play(i), {class: "play", "aria-keyshortcuts": String(i + 1)});
    const bar = element("progress", {max: session.seconds, value: 0, "aria-label": `How far the ${name} piece has played`});
    const known = element("input", {type: "checkbox", checked: answer.known[i], on: {change: (event) => {
      answer.known[i] = event.target.checked;
      changed();
    }}});
    const node = element("section", {class: "piece", "aria-label": `The ${name} piece`},
                         element("h2", {}, i === 0 ? "First" : "Second"), play, bar, element("label", {}, known, "I know this piece"));
    return {node, play, bar};
  });
  const questions = session.questions.map((text, q) => {
    const buttons = kAnswers.map(([value, words]) => button(q === 0 || value !== "neither" ? words : "No difference", () => choose(q, value), {class: value}));
    return {buttons, node: element("fieldset", {class: "question"}, element("legend", {}, text), element("div", {class: "answers"}, buttons))};
  });
  const hint = element("p", {class: "hint", role: "status"});

  function press_play(i) {
    if (!may_play(i)) return;
    const stops = sounds[i].playing();
    halt();
    if (!stops) {
      ++answer.plays[i];
      before = 0;
      sounds[i].play()?.catch?.((error) => say(hint, `The browser does not play this: ${error.message}`));
      timer = setInterval(listen, 100);
    }
    show();
  }

  function halt() {
    listen();
    clearInterval(timer);
    timer = null;
    for (const sound of sounds) sound.stop();
  }

  function came_to_its_end(i) {
    answer.heard[i] += Math.max(0, session.seconds - before);
    clearInterval(timer);
    timer = null;
    before = session.seconds;
    changed();
    show();
  }

  /** Counts what was really played: a position that moves faster than time was moved, not heard. */
  function listen() {
    const i = sounds.findIndex((sound) => sound.playing());
    if (timer === null || i < 0) return;
    const now = sounds[i].position(), passed = now - before;
    const had_enough = heard_enough(i);
    if (passed > 0 && passed < 3) answer.heard[i] += passed;
    before = now;
    cards[i].bar.value = now;
    if (heard_enough(i) && !had_enough) {
      changed();
      show();
    }
  }

  function choose(question, value) {
    if (!may_answer()) return;
    answer.choices[question] = answer.choices[question] === value && question > 0 ? null : value;
    changed();
    show();
  }

  function words() {
    const seconds = `${session.hear} seconds`;
    if (!heard_enough(0)) return `Play the first piece for at least ${seconds}.`;
    if (!heard_enough(1)) return `Now the second, for at least ${seconds}. You may play both as often as you like.`;
    return answered(answer) ? "You can still change your answer, or go on." : "Answer when you are ready; go by what you hear.";
  }

  function show() {
    kNames.forEach((name, i) => {
      const playing = sounds[i].playing() && timer !== null;
      cards[i].node.classList.toggle("playing", playing);
      cards[i].play.disabled = !may_play(i);
      say(cards[i].play, playing ? "■ Stop" : heard_enough(i) ? "▶ Again" : "▶ Play");
      cards[i].play.setAttribute("aria-label", `${playing ? "Stop" : "Play"} the ${name} piece`);
      if (!playing) cards[i].bar.value = 0;
    });
    questions.forEach(({buttons}, q) => buttons.forEach((each, i) => {
      each.disabled = !may_answer();
      each.setAttribute("aria-pressed", String(answer.choices[q] === kAnswers[i][0]));
    }));
    say(hint, words());
  }

  show();
  return {
    nodes: [element("div", {class: "pieces"}, cards.map((card) => card.node)), hint, ...questions.map((question) => question.node)],
    /** Whether the key meant something here. */
    key: (key) => {
      const play = {1: 0, 2: 1}[key], value = {ArrowLeft: "first", ArrowRight: "second", ArrowDown: "neither"}[key];
      if (play !== undefined) press_play(play);
      if (value !== undefined) choose(0, value);
      return play !== undefined || value !== undefined;
    },
    leave: () => {
      halt();
      for (const sound of sounds) sound.release();
    },
  };
}
