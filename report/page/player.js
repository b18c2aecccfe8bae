// Plays notes as something like a piano, with nothing but the browser.
//
//   const player = new Player({notes: [[start, duration, pitch, velocity], …]}, {
//     onposition: (seconds) => …,   // as the music goes, about sixty times a second, and after each seek
//     onstate: (state) => …,        // "playing", "paused" or "ended"
//   });
//   await player.play();            // after something was pressed: browsers allow no sound before
//   player.pause(); player.seek(12.5); player.tempo = 0.5; player.close();
//
// Times are seconds at tempo 1; pitch is a MIDI key, velocity 1 to 127. One player plays at a time: another one that begins
// pauses it.
//
// A note is a struck string, computed once for every few keys and then played faster or slower: partials a little sharper
// than whole multiples (stiffness), without those that the hammer's place silences, each dying away at its own pace, the
// high ones sooner, in two stages as two strings of one key do. Velocity makes it louder and brighter.

const kAhead = 0.25;        // seconds that are handed to the browser ahead of time
const kAheadHidden = 2.5;   // of a page that nobody sees, whose timers are slow
const kEvery = 60;          // ms between looks
const kVoices = 48;         // more than two hands and a pedal need
const kRelease = 0.09;      // seconds in which a damper silences a string, to a third
const kKeysPerSample = 3;

let output = null;   // {context, entry}: one for the page, since browsers allow few
let playing = null;  // the player that plays

function sound_output() {
  if (output) return output;
  const context = new AudioContext();
  const entry = context.createGain(), limiter = context.createDynamicsCompressor();
  entry.gain.value = 0.5;
  limiter.threshold.value = -14;
  limiter.ratio.value = 6;
  limiter.attack.value = 0.003;
  entry.connect(limiter).connect(context.destination);
  output = {context, entry, samples: new Map()};
  return output;
}

/** The string of a key as a buffer, mono. */
function string_of(context, pitch) {
  const rate = context.sampleRate, f0 = 440 * 2 ** ((pitch - 69) / 12);
  const seconds = Math.max(0.8, Math.min(7, 7 * 2 ** ((48 - pitch) / 18)));
  const buffer = context.createBuffer(1, Math.ceil(seconds * rate), rate), wave = buffer.getChannelData(0);
  const stiffness = 7e-5 * 2 ** ((pitch - 48) / 10);
  const partials = Math.max(3, Math.min(36, Math.floor(9000 / f0)));
  for (let n = 1; n <= partials; ++n) {
    const frequency = n * f0 * Math.sqrt(1 + stiffness * n * n);
    if (frequency > 0.45 * rate) break;
    const struck = Math.abs(Math.sin((Math.PI * n) / 7.7));  // the hammer strikes between a seventh and an eighth
    const loudness = (struck / n ** 1.15) * Math.exp(-frequency / 4200);
    const decay = (1.1 + 0.35 * Math.sqrt(n)) * (0.55 + f0 / 900) * (4.5 / seconds);
    add_partial(wave, (2 * Math.PI * frequency) / rate, n * 2.4, 0.72 * loudness, decay / rate);
    add_partial(wave, (2 * Math.PI * frequency * 1.0006) / rate, n * 1.1, 0.28 * loudness, (0.28 * decay) / rate);
  }
  shape(wave, rate);
  return buffer;
}

/** Adds a sine that dies away: the recurrence of a damped rotation is much cheaper than a sine a sample. */
function add_partial(wave, step, phase, loudness, decay) {
  const shrink = Math.exp(-decay), cos = shrink * Math.cos(step), sin = shrink * Math.sin(step);
  let re = loudness * Math.cos(phase), im = loudness * Math.sin(phase);
  for (let i = 0; i < wave.length && re * re + im * im > 1e-11; ++i) {
    wave[i] += im;
    [re, im] = [re * cos - im * sin, re * sin + im * cos];
  }
}

/** The felt's attack of two milliseconds with its knock, an end without a click, and one loudness for all keys. */
function shape(wave, rate) {
  const attack = Math.round(0.002 * rate), knock = Math.round(0.03 * rate), end = Math.round(0.05 * rate);
  let seed = 12345, low = 0;
  for (let i = 0; i < knock && i < wave.length; ++i) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    low += 0.08 * (seed / 2147483648 - 1 - low);
    wave[i] += 0.25 * low * (1 - i / knock) ** 2;
  }
  let power = 0;
  for (let i = 0; i < Math.min(wave.length, 0.3 * rate); ++i) power += wave[i] * wave[i];
  const gain = 0.16 / Math.sqrt(power / Math.min(wave.length, 0.3 * rate) || 1);
  for (let i = 0; i < wave.length; ++i) {
    wave[i] *= gain * Math.min(1, i / attack) * Math.min(1, (wave.length - i) / end);
  }
}

export class Player {
  constructor({notes}, {onposition = () => {}, onstate = () => {}} = {}) {
    this.notes = notes.filter((note) => Array.isArray(note) && note.every(Number.isFinite)).sort((a, b) => a[0] - b[0]);
    this.duration = this.notes.reduce((end, [start, length]) => Math.max(end, start + length), 0);
    Object.assign(this, {onposition, onstate});
    this.state = "paused";
    this.voices = [];   // [{source, gain, at, end}]
    this.next = 0;      // the first note that is not handed over
    this.rested = 0;    // the position while nothing plays
    this.pace = 1;
  }

  /** Seconds from the beginning, at tempo 1. */
  get position() {
    if (this.state !== "playing") return this.rested;
    return Math.max(this.from, Math.min(this.duration, this.from + (output.context.currentTime - this.since) * this.pace));
  }

  get tempo() { return this.pace; }
  set tempo(pace) {
    const position = this.position;
    this.pace = Math.max(0.1, Math.min(4, Number(pace) || 1));
    if (this.state === "playing") this.begin(position);
  }

  async play() {
    if (this.state === "playing" || this.duration === 0) return;
    const {context} = sound_output();
    if (playing && playing !== this) playing.pause();
    playing = this;
    this.become("playing", this.rested >= this.duration - 0.01 ? 0 : this.rested);
    await context.resume();
    if (this.state === "playing") this.begin(this.from);
  }

  pause() {
    if (this.state !== "playing") return;
    this.rest("paused", this.position);
  }

  toggle() { return this.state === "playing" ? this.pause() : this.play(); }

  seek(seconds) {
    const position = Math.max(0, Math.min(this.duration, Number(seconds) || 0));
    if (this.state === "playing") this.begin(position); else this.rested = position;
    this.onposition(position);
  }

  close() {
    this.pause();
    if (playing === this) playing = null;
  }

  // ---- inside ----
  become(state, from) {
    this.state = state;
    this.from = from;
    this.since = output.context.currentTime;
    this.onstate(state);
  }

  rest(state, position) {
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.rested = position;
    this.state = state;
    this.silence();
    this.onposition(position);
    this.onstate(state);
  }

  /** Goes on from a position, whatever sounded before. */
  begin(position) {
    this.silence();
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.from = position;
    this.since = output.context.currentTime + 0.05;
    this.next = this.notes.findIndex(([start]) => start >= position - 1e-6);
    if (this.next < 0) this.next = this.notes.length;
    // What began before and still sounds begins anew: better than silence in the middle of a long note.
    for (let i = 0; i < this.next; ++i) {
      const [start, length, pitch, velocity] = this.notes[i];
      if (start + length > position + 0.05) this.strike(this.since, start + length - position, pitch, velocity);
    }
    this.timer = setInterval(() => this.look(), kEvery);
    this.look();
    const tell = () => {
      this.onposition(this.position);
      this.frame = requestAnimationFrame(tell);
    };
    tell();
  }

  /** Hands over what begins soon. */
  look() {
    const {context} = output, ahead = document.hidden ? kAheadHidden : kAhead;
    const until = this.from + (context.currentTime + ahead - this.since) * this.pace;
    for (; this.next < this.notes.length && this.notes[this.next][0] < until; ++this.next) {
      const [start, length, pitch, velocity] = this.notes[this.next];
      this.strike(Math.max(context.currentTime, this.since + (start - this.from) / this.pace), length, pitch, velocity);
    }
    this.voices = this.voices.filter(({end}) => end > context.currentTime);
    if (this.position >= this.duration) this.rest("ended", this.duration);
  }

  strike(at, length, pitch, velocity) {
    const {context, entry} = output, sampled = kKeysPerSample * Math.round(pitch / kKeysPerSample);
    const force = Math.max(0.05, Math.min(1, velocity / 127));
    const source = new AudioBufferSourceNode(context, {buffer: this.sample(sampled), playbackRate: 2 ** ((pitch - sampled) / 12)});
    const filter = new BiquadFilterNode(context, {type: "lowpass", Q: 0.3,
                                                  frequency: Math.min(16000, 440 * 2 ** ((pitch - 69) / 12) * 2 + 400 + 9000 * force ** 2)});
    const gain = new GainNode(context, {gain: force ** 1.6});
    const release = at + Math.max(0.03, length / this.pace);
    gain.gain.setValueAtTime(force ** 1.6, release);
    // Above the highest dampers strings ring on.
    gain.gain.setTargetAtTime(0, release, pitch > 88 ? 1 : kRelease);
    source.connect(filter).connect(gain).connect(entry);
    source.start(at);
    const end = release + (pitch > 88 ? 4 : 8 * kRelease);
    source.stop(end);
    source.onended = () => gain.disconnect();
    this.voices.push({source, gain, at, end});
    this.limit();
  }

  /** Ends the voices that began first where too many sound. */
  limit() {
    while (this.voices.length > kVoices) {
      const [oldest] = this.voices.splice(this.voices.reduce((least, voice, i) => (voice.at < this.voices[least].at ? i : least), 0), 1);
      this.fade(oldest, 0.02);
    }
  }

  fade({source, gain}, seconds) {
    const now = output.context.currentTime;
    gain.gain.cancelScheduledValues(now);
    gain.gain.setTargetAtTime(0, now, seconds);
    source.stop(now + 6 * seconds);
  }

  silence() {
    for (const voice of this.voices) this.fade(voice, 0.02);
    this.voices = [];
  }

  sample(pitch) {
    const {context, samples} = output;
    if (!samples.has(pitch)) samples.set(pitch, string_of(context, pitch));
    return samples.get(pitch);
  }
}
