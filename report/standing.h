#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "framework/train/memorising.h"
#include "report/run.h"

namespace etude::report {

/// A run that may be compared with another: trained on the same pack, evaluated on the same tokens.
struct Sibling {
  std::string name;
  double loss = 0;  ///< of its best evaluation
};

/// What a loss can be compared with. All losses are nats per token.
struct Surroundings {
  std::optional<std::int64_t> vocabulary;  ///< so many tokens; guessing among them all alike costs its logarithm
  std::optional<double> unigram;           ///< guessing by how often each token occurs
  std::optional<double> floor;             ///< what the best n-gram model reaches on the same pack and split
  std::int64_t floor_order = 0;            ///< n of that model: it looks at the n - 1 tokens before
  bool floor_on_more = false;  ///< the run's evaluations cover only a part of what the floor was measured on
  std::vector<Sibling> siblings;
  std::string siblings_folder;  ///< where they lie, as people call it
};

enum class Direction { kUnknown, kFalling, kFlat, kRising };

/// Where a loss is going. Two losses are told apart where they differ by more than 0.5 % and than twice the noise.
struct Trend {
  Direction direction = Direction::kUnknown;
  double per_doubling = 0;        ///< change of the loss with twice the tokens
  double per_thousand_steps = 0;  ///< and with a thousand steps, both in the last half of the tokens
  double since = 0;               ///< step from which it is flat or rising
  double noise = 0;               ///< standard deviation of one evaluation
};

/// The trend of a curve of three points at least; unknown for fewer.
///
///  - rising: the mean of the last two points lies above that around the lowest by twice what is told apart
///  - falling: a straight line through the points since half of the tokens (through three at least), over the logarithm
///    of the tokens, falls by more than what is told apart, and by more than twice its standard error, per doubling
///  - flat: neither; since the first point that is not told apart from the lowest
///
/// The noise is estimated from second differences in that half, so that a smooth curve has none; nor has one that falls
/// fast at first and then ever more slowly, as that of a short run.
Trend trend_of(const Series& curve);

/// Where a run stands: an answer to "is 2.1 good?".
struct Standing {
  /// Up to three plain sentences, each with the figures that say so: between guessing and an n-gram model, where it is
  /// going, and among runs like it. Empty where nothing has been measured.
  std::vector<std::string> sentences;
  std::string warning;  ///< empty, or one sentence: it memorises, or its loss is no number

  std::optional<double> loss;  ///< the last evaluation's, or where there is none the smoothed training loss
  bool evaluated = false;      ///< which of both
  double step = 0;             ///< of that evaluation, or the last
  double best = 0;
  double best_step = 0;
  Trend trend;
  std::optional<train::Memorising> memorising;
  std::optional<std::size_t> rank;  ///< among the siblings and itself, from 1, by the best evaluation
  Surroundings surroundings;
};

/// `history`: whole curves, or thinned ones, with which means become less exact.
Standing standing(const History& history, const Surroundings& surroundings);

/// {sentence, sentences, warning, figures}: docs/watch.md.
nlohmann::json to_json(const Standing& standing);

}  // namespace etude::report
