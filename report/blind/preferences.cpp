#include "report/blind/preferences.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "report/blind/resampling.h"

namespace etude::blind {
namespace {

/// An answer with the number of its listener.
struct Given {
  std::size_t listener = 0;
  const Answer* answer = nullptr;
};

class Counting {
 public:
  Counting(const Key& key, const Answers& answers) : key_(key) {
    for (const auto& [id, piece] : key.pieces) {
      number_[id] = model_of_.size();
      model_of_.push_back(piece.model);
    }
    listeners_ = answers.sheets.size();
    for (std::size_t i = 0; i < answers.sheets.size(); ++i) {
      for (const Answer& answer : answers.sheets[i].answers) {
        if (answer.knew_first) knew_[answer.first].insert(i);
        if (answer.knew_second) knew_[answer.second].insert(i);
        if (answer.knew_first || answer.knew_second) {
          ++left_out_;
        } else {
          given_.push_back({i, &answer});
        }
      }
    }
  }

  Preferences result() const {
    Preferences all;
    for (const Model& model : key_.models) {
      all.models.push_back(model.name);
      all.folders.push_back(model.folder);
    }
    all.answers = given_.size();
    all.left_out = left_out_;
    all.listeners = listeners_;
    for (std::size_t i = 0; i < key_.questions.size(); ++i) all.opinions.push_back(opinion(i));
    all.position = position();
    all.agreement = agreement();
    for (const auto& [id, listeners] : knew_) {
      const KeyPiece& piece = key_.pieces.at(id);
      all.known.push_back({id, piece.model, piece.file, listeners.size()});
    }
    return all;
  }

 private:
  std::vector<Vote> votes(std::size_t question) const {
    std::vector<Vote> votes;
    for (const Given& given : given_) {
      const auto& choice = given.answer->choices[question];
      if (!choice) continue;
      Vote vote;
      vote.listener = given.listener;
      vote.piece_a = number_.at(given.answer->first);
      vote.piece_b = number_.at(given.answer->second);
      vote.score = *choice == Choice::kFirst ? 1 : *choice == Choice::kSecond ? 0 : 0.5;
      if (model_of_[vote.piece_a] > model_of_[vote.piece_b]) {
        std::swap(vote.piece_a, vote.piece_b);
        vote.score = 1 - vote.score;
      }
      vote.a = model_of_[vote.piece_a];
      vote.b = model_of_[vote.piece_b];
      votes.push_back(vote);
    }
    return votes;
  }

  Opinion opinion(std::size_t question) const {
    const std::vector<Vote> all = votes(question);
    const std::size_t models = key_.models.size();
    Opinion opinion;
    opinion.question = key_.questions[question];
    opinion.answers = all.size();
    if (all.empty()) return opinion;
    const std::uint64_t seed = std::strtoull(key_.session.substr(0, 16).c_str(), nullptr, 16) + question;
    const Resampled resampled = resample(all, listeners_, model_of_, models, seed);
    for (std::size_t a = 0; a < models; ++a) {
      for (std::size_t b = a + 1; b < models; ++b) {
        if (const auto pair = rate(all, a, b, resampled.rates[a][b])) opinion.pairs.push_back(*pair);
      }
    }
    if (const auto strengths = bradley_terry(wins_of(all, models))) {
      opinion.smoothed = strengths->smoothed;
      const std::vector<double> expected = expected_rates(strengths->log);
      for (std::size_t i = 0; i < models; ++i) {
        opinion.ranking.push_back({i, strengths->log[i], expected[i], resampled.expected[i]});
      }
      std::stable_sort(opinion.ranking.begin(), opinion.ranking.end(),
                       [](const Rank& x, const Rank& y) { return x.strength > y.strength; });
    }
    return opinion;
  }

  static std::optional<PairRate> rate(const std::vector<Vote>& votes, std::size_t a, std::size_t b,
                                      const std::optional<Interval>& clustered) {
    PairRate pair;
    pair.a = a;
    pair.b = b;
    std::set<std::size_t> listeners, pieces;
    std::size_t count = 0;
    for (const Vote& vote : votes) {
      if (vote.a != a || vote.b != b) continue;
      ++count;
      ++(vote.score > 0.5 ? pair.wins_a : vote.score < 0.5 ? pair.wins_b : pair.ties);
      listeners.insert(vote.listener);
      pieces.insert({vote.piece_a, vote.piece_b});
    }
    if (count == 0) return std::nullopt;
    const double wins = static_cast<double>(pair.wins_a) + 0.5 * static_cast<double>(pair.ties);
    pair.rate = wins / static_cast<double>(count);
    pair.independent = pair.shown = wilson(wins, static_cast<double>(count));
    if (listeners.size() == count && pieces.size() == 2 * count) {
      pair.why = "Wilson: every answer is by another listener and of other pieces";
    } else if (clustered) {
      pair.clustered = clustered;
      pair.shown = {std::min(pair.independent.low, clustered->low), std::max(pair.independent.high, clustered->high)};
      const bool wider = clustered->high - clustered->low > pair.independent.high - pair.independent.low;
      pair.why = wider ? "bootstrap over listeners and pieces: several answers have one or the other in common"
                       : "Wilson: answers that have listener or piece in common are no more alike than others";
    } else {
      pair.why = "Wilson: too little in common to draw listeners and pieces anew";
    }
    if (count >= kFewestAnswers) {
      pair.verdict = pair.shown.low > 0.5 ? Verdict::kA : pair.shown.high < 0.5 ? Verdict::kB : Verdict::kWithinNoise;
    }
    return pair;
  }

  PositionBias position() const {
    PositionBias bias;
    for (const Given& given : given_) {
      const Choice choice = *given.answer->choices.front();
      ++(choice == Choice::kFirst ? bias.first : choice == Choice::kSecond ? bias.second : bias.neither);
    }
    const double all = static_cast<double>(given_.size());
    const double first = static_cast<double>(bias.first) + 0.5 * static_cast<double>(bias.neither);
    if (all > 0) bias.rate = first / all;
    bias.interval = wilson(first, all);
    return bias;
  }

  Agreement agreement() const {
    // Of each two pieces, how many preferred the one whose id comes first in the alphabet, the other, or neither.
    std::map<std::pair<std::string, std::string>, std::array<std::size_t, 3>> by_pieces;
    for (const Given& given : given_) {
      const Choice choice = *given.answer->choices.front();
      const bool turned = given.answer->second < given.answer->first;
      const auto pieces = std::minmax(given.answer->first, given.answer->second);
      const std::size_t said = choice == Choice::kNeither ? 2 : (choice == Choice::kFirst) == turned ? 1 : 0;
      ++by_pieces[{pieces.first, pieces.second}][said];
    }
    Agreement agreement;
    double ties = 0, all = 0;
    for (const auto& [pieces, said] : by_pieces) {
      const std::size_t count = said[0] + said[1] + said[2];
      if (count < 2) continue;
      agreement.pairs += count * (count - 1) / 2;
      for (const std::size_t times : said) agreement.agreed += times * (times - (times > 0)) / 2;
      ties += static_cast<double>(said[2]);
      all += static_cast<double>(count);
    }
    if (all > 0) {
      agreement.kappa =
          chance_corrected(static_cast<double>(agreement.agreed), static_cast<double>(agreement.pairs), ties / all);
    }
    return agreement;
  }

  const Key& key_;
  std::size_t listeners_ = 0;
  std::size_t left_out_ = 0;
  std::map<std::string, std::size_t> number_;  ///< of a piece, by id
  std::vector<std::size_t> model_of_;          ///< by number of the piece
  std::map<std::string, std::set<std::size_t>> knew_;
  std::vector<Given> given_;
};

}  // namespace

Preferences win_rates(const Key& key, const Answers& answers) {
  Preferences all = Counting(key, answers).result();
  all.refused = answers.refused;
  all.remarks = answers.remarks;
  all.sentences = in_words(all);
  return all;
}

}  // namespace etude::blind
