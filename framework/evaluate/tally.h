#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "data/tokenizer/vocabulary.h"

namespace etude::evaluate {

/// Counts and sums over evaluated tokens, all of them integers: adding them is exact, so the result is the same in
/// whatever order tokens, threads and ranks come. Log-likelihoods are kept as multiples of 2^-30 nat.
class Tally {
 public:
  explicit Tally(const data::Vocabulary& vocabulary);

  /// One predicted token: its negative log-likelihood in nats, the most likely token, how many tokens the model held
  /// likelier than the target, and how many targets of its piece stand before it.
  void count(data::TokenId target, data::TokenId predicted, std::int64_t likelier, double nll, std::int64_t position);

  /// Adds another tally of the same vocabulary.
  void add(const Tally& other);

  /// Everything as one flat row, to be summed over ranks and put back.
  std::vector<std::int64_t>& values() { return values_; }
  const std::vector<std::int64_t>& values() const { return values_; }

  struct Group {
    std::int64_t tokens = 0;
    double nll = 0;  ///< nats, summed
    std::int64_t top1 = 0;
    std::int64_t top5 = 0;
  };
  Group all() const;
  Group family(int family) const;
  /// What stands so far within its piece: stretches of positions that double, 0 to 15, 16 to 31, 32 to 63, …
  struct Stretch {
    std::int64_t from = 0, to = 0;  ///< both included
    std::int64_t tokens = 0;
    double nll = 0;  ///< nats, summed
  };
  /// From the beginning of pieces to the last stretch that has any tokens.
  std::vector<Stretch> by_position() const;
  std::int64_t notes() const;       ///< targets that are a pitch
  std::int64_t non_finite() const;  ///< targets whose likelihood was no sensible number, counted in nothing else

  /// How often a target of one family was predicted as another, [target][predicted].
  std::int64_t families_confused(int target, int predicted) const;
  /// The same over pitches, counted from the vocabulary's lowest; the last predicted column is "no pitch at all".
  std::int64_t pitches_confused(int target, int predicted) const;
  int families() const { return families_; }
  int pitches() const { return pitches_; }

 private:
  static constexpr double kScale = 1 << 30;
  static constexpr int kFields = 4;  // tokens, nll, top1, top5
  static constexpr int kStretches = 40;
  static constexpr int kFirstStretch = 16;  // positions

  std::size_t family_at(int family) const { return static_cast<std::size_t>(2 + kFields * family); }
  std::size_t confused_families_at(int target, int predicted) const {
    return static_cast<std::size_t>(2 + kFields * families_ + target * families_ + predicted);
  }
  std::size_t confused_pitches_at(int target, int predicted) const {
    return static_cast<std::size_t>(2 + kFields * families_ + families_ * families_ + target * (pitches_ + 1) +
                                    predicted);
  }

  std::size_t stretch_at(int stretch) const {
    return confused_pitches_at(pitches_, 0) + static_cast<std::size_t>(2 * stretch);
  }

  const data::Vocabulary* vocabulary_;
  int families_ = 0;
  int pitches_ = 0;
  int lowest_pitch_ = 0;
  // notes, non-finite, then per family its fields, then the two matrices, then tokens and nll of each stretch
  std::vector<std::int64_t> values_;
};

}  // namespace etude::evaluate
