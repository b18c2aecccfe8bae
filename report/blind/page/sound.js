// What a piece sounds like, from what the page holds of it. A sound has play(), stop(), position() in seconds, playing(),
// and calls `ended` when it came to its end by itself.
import {Player} from "../../page/player.js";

/** The sound of the piece with this id, as long as `seconds`. */
export function sound_of(id, seconds, ended) {
  const holder = document.getElementById(`clip-${id}`);
  return holder.type === "audio/flac" ? recorded(holder.textContent, seconds, ended) : played(JSON.parse(holder.textContent), seconds, ended);
}

function recorded(base64, seconds, ended) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], {type: "audio/flac"}));
  const audio = new Audio(address);
  audio.addEventListener("ended", ended);
  return {
    play: () => audio.play(),
    stop: () => {
      audio.pause();
      audio.currentTime = 0;
    },
    position: () => Math.min(seconds, audio.currentTime),
    playing: () => !audio.paused && !audio.ended,
    release: () => {
      audio.pause();
      URL.revokeObjectURL(address);
    },
  };
}

/** The notes themselves, where no recording could be made. */
function played(notes, seconds, ended) {
  const player = new Player({notes}, {onstate: (state) => (state === "ended" ? ended() : null)});
  player.duration = seconds;  // a last note that ends early ends no piece: all are of one length
  const stop = () => {
    player.pause();
    player.seek(0);
  };
  return {
    play: () => {
      player.seek(0);
      return player.play();
    },
    stop,
    position: () => player.position,
    playing: () => player.state === "playing",
    release: () => player.close(),
  };
}
