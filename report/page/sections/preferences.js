// What listeners preferred, who did not know which model a piece was by.
import {element} from "../../../page/dom.js";
import {count, number_of} from "../../../page/format.js";
import {RowPlot} from "../charts/rows.js";
import {style_of} from "../charts/styles.js";
import {figure} from "../figure.js";
import {list} from "../report.js";
import {percent} from "../words.js";

export class Preferences {
  constructor(report) {
    this.report = report;
    this.told = report.model.preferences;
    this.opinions = this.told ? [this.told, ...list(this.told.questions)].filter(({pairs}) => list(pairs).length > 0) : [];
    if (!this.relevant) return;
    const sentences = list(this.told.sentences).length ? this.told.sentences : [this.told.sentence].filter(Boolean);
    this.figures = this.opinions.map((opinion) => {
      const pairs = new RowPlot({label: opinion.question ?? "Preferences"}), ranking = new RowPlot({label: "Ranking"});
      const ranked = list(opinion.ranking).length > 2;
      return {opinion, pairs, ranking: ranked ? ranking : null, node: element("div", {},
          figure({title: opinion.question ?? "How often the first of two was preferred", plot: pairs, csv: () => rows_of(opinion),
                  explain: `${count(number_of(opinion.answers ?? this.told.answers ?? 0) || 0, "answer")}. Rates with 95 % intervals; no preference counts half for each. Hollow: not told from chance.`}),
          ranked ? figure({title: "How often each would be preferred over one of the others", plot: ranking, csv: () => [["model", "rate", "low", "high"], ...opinion.ranking.map((rank) => [name(rank), rank.rate, rank.low, rank.high])]}) : null)};
    });
    this.node = element("div", {}, ...sentences.map((sentence) => element("p", {}, sentence)), ...this.figures.map(({node}) => node));
  }

  get relevant() { return Boolean(this.told) && (this.opinions.length > 0 || Boolean(this.told.sentence)); }

  draw() {
    for (const {opinion, pairs, ranking} of this.figures) {
      pairs.draw({x: {title: "share of answers for the first", mark: 0.5, mark_words: ["second preferred", "first preferred"], low: 0, high: 1}, rows: opinion.pairs.map((pair) => {
        const rate = number_of(pair.rate ?? null), low = number_of(pair.low ?? null), high = number_of(pair.high ?? null), clear = low > 0.5 || high < 0.5;
        return {name: `${pair.a} – ${pair.b}`, note: `${pair.wins_a} : ${pair.wins_b}, ${pair.ties} =`,
                points: [{value: rate, low, high, style: {...style_of(0), colour: clear ? "hue-0" : "hue-none"}, hollow: !clear, text: `${pair.a} over ${pair.b}: ${percent(rate)} (${percent(low)} to ${percent(high)})`}]};
      })});
      ranking?.draw({x: {title: "rate", mark: 0.5, low: 0, high: 1}, rows: opinion.ranking.map((rank, i) => ({name: name(rank), note: percent(rank.rate),
        points: [{value: number_of(rank.rate ?? null), low: number_of(rank.low ?? null), high: number_of(rank.high ?? null), style: style_of(i), text: `${name(rank)}: ${percent(rank.rate)}`}]}))});
    }
  }
}

const name = (rank) => String(rank.model ?? rank.name ?? "");

function rows_of({pairs}) {
  return [["a", "b", "wins of a", "wins of b", "ties", "rate", "low", "high"], ...pairs.map((pair) => [pair.a, pair.b, pair.wins_a, pair.wins_b, pair.ties, pair.rate, pair.low, pair.high])];
}
