// Generated pieces, to see and to hear.
import {button, choice, element} from "../../../page/dom.js";
import {duration, number_of} from "../../../page/format.js";
import {Roll} from "../charts/roll.js";
import {player_controls} from "../player_controls.js";
import {file_name, save, standalone} from "../saving.js";
import {list} from "../report.js";
import {percent} from "../words.js";

const kFirst = 3;

export class Pieces {
  constructor(report) {
    this.report = report;
    this.runs = report.runs.filter((run) => list(run.pieces).length > 0);
    if (!this.relevant) return;
    this.open = [];
    this.most = kFirst;
    this.place = element("div", {class: "pieces"});
    const which = choice("pieces by", this.runs.map(({name}) => name), 0, (i) => { this.run = this.runs[i]; this.most = kFirst; this.fill(); }, {class: "of-run"});
    this.run = this.runs[0];
    this.more = button("", () => { this.most = Infinity; this.fill(); });
    this.node = element("div", {},
        element("p", {class: "note"}, "Time goes to the right, pitch upward; numbers above are bars. Press Play, or click into the picture to hear from there; the sound is made by this page. Passages that stand in the training set have a background and an outline."),
        element("div", {class: "controls"}, which.node), this.place, this.more);
  }

  get relevant() { return this.runs.length > 0; }

  draw() {
    if (this.filled !== this.run || this.open.length === 0) this.fill();
    for (const {roll} of this.open) roll.draw();
  }

  fill() {
    for (const {player} of this.open) player.close();
    this.filled = this.run;
    const pieces = list(this.run.pieces);
    this.open = pieces.slice(0, this.most).map((piece) => this.piece(piece));
    this.place.replaceChildren(...this.open.map(({node}) => node));
    this.more.hidden = pieces.length <= this.most;
    this.more.textContent = `Show all ${pieces.length} pieces`;
    for (const {roll} of this.open) roll.draw();
  }

  piece(piece) {
    const name = String(piece.name ?? piece.file ?? "a piece"), notes = list(piece.notes).filter((note) => Array.isArray(note) && note.slice(0, 3).every(Number.isFinite));
    const bars = list(piece.bars).filter(Number.isFinite), shared = passage_of(piece.copy, bars, number_of(piece.seconds ?? null));
    const {node: controls, player} = player_controls(notes.map(([start, length, pitch, velocity = 80]) => [start, length, pitch, velocity]), name, (seconds) => roll.position(seconds));
    const roll = new Roll({notes, bars, copied: shared?.copied ? [shared] : [], name, seek: (seconds) => player.seek(seconds)});
    const wide = button("Larger", () => {
      roll.fits = !roll.fits;
      wide.textContent = roll.fits ? "Larger" : "All of it";
      roll.draw();
    });
    controls.append(wide, button("Save as SVG", () => save(file_name(name, "svg"), "image/svg+xml", standalone(roll.base, name))));
    const facts = [duration(number_of(piece.seconds ?? null)), `${notes.length} notes`, bars.length ? `${bars.length} bars` : "", piece.file ?? ""].filter(Boolean).join(" · ");
    const node = element("article", {class: "piece"}, element("h3", {}, name), element("p", {class: "note"}, facts), controls, roll.node,
                         shared ? element("p", {class: shared.copied ? "copied-words" : "note"}, shared.sentence) : null);
    return {node, roll, player};
  }
}

/** The longest passage that is shared with the training set: {from, to (seconds), copied, sentence}, or null. */
function passage_of(copy, bars, seconds) {
  const run = copy?.longest;
  if (!run) return null;
  const from = bars[run.bar - 1] ?? 0, to = bars[run.last_bar] ?? (Number.isFinite(seconds) ? seconds : Infinity);
  const at = (first, last) => (first === last || !Number.isFinite(last) ? `bar ${first}` : `bars ${first} to ${last}`);
  const moved = run.semitones ? `${Math.abs(run.semitones)} semitone${Math.abs(run.semitones) === 1 ? "" : "s"} ${run.semitones > 0 ? "higher" : "lower"}` : "at the same pitch";
  const place = `${at(run.bar, run.last_bar)}: ${run.notes} notes as in ${run.source}, ${at(run.source_bar, run.source_last_bar)}, ${moved}`;
  const [length, share] = Object.entries(copy.overlap ?? {}).at(-1) ?? [];
  const more = Number.isFinite(share) ? ` ${percent(share, 0)} of its notes lie in shared passages of ${length} notes and more.` : "";
  return {from, to, copied: copy.copied === true, sentence: copy.copied ? `⚠ Copied, ${place}.${more}` : `Longest passage shared with the training set, no more than held-out music shares: ${place}.`};
}
