#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "report/blind/answers.h"
#include "report/blind/key.h"
#include "report/blind/statistics.h"

namespace etude::blind {

/// Fewer answers than this say nothing: with five, all of one opinion, the sign test (two-sided) gives 2 · 0.5⁵ = 6 %.
inline constexpr std::size_t kFewestAnswers = 6;
/// With fewer listeners than this, nothing is said of anybody else.
inline constexpr std::size_t kFewestListeners = 5;

enum class Verdict { kA, kB, kWithinNoise, kTooFew };

/// How often the pieces of one model were preferred over those of another.
struct PairRate {
  std::size_t a = 0;  ///< places in Key::models, a < b
  std::size_t b = 0;
  std::size_t wins_a = 0;
  std::size_t wins_b = 0;
  std::size_t ties = 0;
  double rate = 0.5;  ///< of a, a tie being half a win
  Interval shown{0, 1};
  Interval independent{0, 1};         ///< as if no two answers had listener or piece in common (Wilson)
  std::optional<Interval> clustered;  ///< what comes of other listeners and other pieces (bootstrap)
  std::string why;                    ///< which of the two is shown, and the reason
  Verdict verdict = Verdict::kTooFew;
};

struct Rank {
  std::size_t model = 0;
  double strength = 0;               ///< logarithm of Bradley and Terry's, mean 0
  double rate = 0.5;                 ///< probability to be preferred over one of the others
  std::optional<Interval> interval;  ///< of the rate
};

/// What was answered to one question.
struct Opinion {
  std::string question;
  std::size_t answers = 0;
  std::vector<PairRate> pairs;  ///< of models that met
  std::vector<Rank> ranking;    ///< the most liked first; empty where they cannot be ranked
  bool smoothed = false;        ///< Strengths::smoothed
};

/// Whether the piece heard first was preferred, whatever it was.
struct PositionBias {
  std::size_t first = 0;
  std::size_t second = 0;
  std::size_t neither = 0;
  double rate = 0.5;
  Interval interval{0, 1};
};

/// Whether listeners who compared the same two pieces said the same.
struct Agreement {
  std::size_t pairs = 0;  ///< of answers by two listeners on the same two pieces
  std::size_t agreed = 0;
  std::optional<double> kappa;  ///< chance_corrected()
};

/// A piece that somebody knew before: by people it is known; of a model, it has copied.
struct KnownPiece {
  std::string id;
  std::size_t model = 0;
  std::string file;
  std::size_t listeners = 0;
};

struct Preferences {
  std::vector<std::string> models;  ///< names, as in the key
  std::vector<std::string> folders;
  std::size_t listeners = 0;
  std::size_t answers = 0;        ///< that count
  std::size_t left_out = 0;       ///< because the listener knew one of the pieces
  std::vector<Opinion> opinions;  ///< by question; the first is which piece is preferred
  PositionBias position;
  Agreement agreement;
  std::vector<KnownPiece> known;
  std::vector<std::string> sentences;  ///< for the summary
  std::vector<Refused> refused;
  std::vector<std::string> remarks;
};

/// Win rates from what listeners saved. Answers of somebody who knew one of the two pieces do not count.
///
/// Where every answer to a pair of models is by another listener and of other pieces, Wilson's interval is shown. Else
/// answers have listeners and pieces in common and say less than their number promises: what encloses Wilson's interval
/// and that of resample() is shown. The draws follow from the session alone: the same files give the same numbers.
Preferences win_rates(const Key& key, const Answers& answers);

/// The member `preferences` of the report's model.
nlohmann::json to_json(const Preferences& preferences);

/// What the figures say, in sentences.
std::vector<std::string> in_words(const Preferences& preferences);

}  // namespace etude::blind
