// What one presses to hear a piece: play and pause, the place in it, the tempo.
import {button, element, say} from "../../page/dom.js";
import {Player} from "./player.js";
import {clock_time} from "./words.js";

const kTempos = [0.5, 0.75, 1, 1.25, 1.5, 2];

/**
 * {node, player}; `moved(seconds)` is told the position. Space on the button and arrow keys on the slider work as on any.
 */
export function player_controls(notes, name, moved = () => {}) {
  const press = button("▶ Play", () => player.toggle(), {class: "play", "aria-label": `Play ${name}`});
  const slider = element("input", {type: "range", min: 0, step: 0.1, value: 0, class: "position", "aria-label": `Position in ${name}`,
                                   on: {input: () => player.seek(Number(slider.value))}});
  const time = element("span", {class: "time"});
  const tempo = element("select", {"aria-label": "Tempo", on: {change: () => { player.tempo = kTempos[tempo.selectedIndex]; }}},
                        ...kTempos.map((pace) => element("option", {selected: pace === 1}, `${Math.round(100 * pace)} %`)));
  const player = new Player({notes}, {
    onposition: (seconds) => {
      slider.value = seconds;
      const words = `${clock_time(seconds)} of ${clock_time(player.duration)}`;
      say(time, words);
      if (slider.getAttribute("aria-valuetext") !== words) slider.setAttribute("aria-valuetext", words);
      moved(seconds);
    },
    onstate: (state) => {
      say(press, state === "playing" ? "❚❚ Pause" : "▶ Play");
      press.setAttribute("aria-label", `${state === "playing" ? "Pause" : "Play"} ${name}`);
    },
  });
  slider.max = player.duration;
  say(time, `${clock_time(0)} of ${clock_time(player.duration)}`);
  const node = element("div", {class: "controls player"}, press, slider, time, element("label", {class: "choice"}, element("span", {}, "tempo"), tempo));
  return {node, player};
}
