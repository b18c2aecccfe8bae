#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/tokenizer/vocabulary.h"

namespace etude::evaluate {

/// What a model held of one token, and which it was.
struct Prediction {
  data::TokenId target = 0;
  data::TokenId predicted = 0;  ///< the likeliest token
  std::int64_t likelier = 0;    ///< how many tokens the model held likelier than the target
  double nll = 0;               ///< negative log-likelihood of the target in nats
  double confidence = 0;        ///< probability of `predicted`
  bool allowed = true;          ///< whether `predicted` may stand here by the tokenizer's grammar
  double forbidden = 0;         ///< probability of all tokens that may not
  std::int64_t piece = 0;       ///< within the split
  std::int64_t position = 0;    ///< how many targets of its piece stand before it
  int previous_pitch = -1;      ///< MIDI key of the note before it in the piece; -1 where there is none
};

/// Counts and sums over evaluated tokens, all of them integers: adding them is exact, so the result is the same in
/// whatever order tokens, threads and ranks come. Log-likelihoods and probabilities are kept as multiples of 2^-30.
class Tally {
 public:
  /// `pieces`: of the split that is measured.
  explicit Tally(const data::Vocabulary& vocabulary, std::int64_t pieces = 0);

  /// Throws std::out_of_range for a piece that is not there, unless there are none at all.
  void count(const Prediction& prediction);

  /// Adds another tally of the same vocabulary and split.
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
  int families() const { return families_; }

  /// What stands so far within its piece: stretches of positions that double, 0 to 15, 16 to 31, 32 to 63, …
  struct Stretch {
    std::int64_t from = 0, to = 0;  ///< both included
    std::int64_t tokens = 0;
    double nll = 0;  ///< nats, summed
  };
  /// From the beginning of pieces to the last stretch that has any tokens.
  std::vector<Stretch> by_position() const;

  struct OfPiece {
    std::int64_t tokens = 0;
    std::int64_t notes = 0;
    double nll = 0;  ///< nats, summed
  };
  OfPiece piece(std::int64_t piece) const;
  std::int64_t pieces() const { return pieces_; }

  /// Tokens whose likeliest guess had a probability in one twentieth of [0, 1].
  struct Bin {
    double from = 0, to = 0;
    std::int64_t tokens = 0;
    double confidence = 0;     ///< summed
    std::int64_t correct = 0;  ///< guesses that were right
  };
  std::vector<Bin> calibration() const;
  /// Expected calibration error (Guo et al. 2017, eq. 3): how far confidence and accuracy lie apart, on average.
  double calibration_error() const;

  std::int64_t forbidden_guesses() const;  ///< likeliest tokens that may not stand where they were guessed
  double forbidden_mass() const;           ///< probability given to such tokens, summed over targets

  std::int64_t notes() const;       ///< targets that are a pitch
  std::int64_t non_finite() const;  ///< targets whose likelihood was no sensible number, counted in nothing else

  enum class Confusion {
    kFamilies,   ///< of tokens
    kPitches,    ///< from the vocabulary's lowest to its highest
    kIntervals,  ///< from the note before, in semitones from -kWidestInterval to kWidestInterval, wider ones with these
    kDurations,  ///< the vocabulary's Duration tokens in their order
  };
  static constexpr int kWidestInterval = 24;  // semitones: two octaves
  /// How often something was due, [rows], and what the likeliest token was, [columns]. But for families there is one
  /// column more than rows: likeliest tokens that are nothing of the kind.
  struct Matrix {
    int rows = 0;
    int columns = 0;
    const std::int64_t* counts = nullptr;  ///< [rows, columns]; lives as long as the tally
    std::int64_t at(int due, int guessed) const { return counts[due * columns + guessed]; }
  };
  Matrix confusion(Confusion kind) const;
  int lowest_pitch() const { return lowest_pitch_; }
  /// The Duration tokens, in the order of the matrix.
  const std::vector<data::TokenId>& durations() const { return durations_; }

 private:
  static constexpr double kScale = 1 << 30;
  static constexpr int kFields = 4;  // tokens, nll, top1, top5
  static constexpr int kStretches = 40;
  static constexpr int kFirstStretch = 16;  // positions
  static constexpr int kBins = 20;

  /// A part of the row of values: `items` of `width` each.
  struct Part {
    std::size_t begin = 0;
    int width = 1;
    std::size_t at(std::int64_t item, int field = 0) const {
      return begin + static_cast<std::size_t>(item * width + field);
    }
  };
  Part add_part(std::int64_t items, int width);
  std::int64_t& value(const Part& part, std::int64_t item, int field = 0) { return values_[part.at(item, field)]; }
  std::int64_t value(const Part& part, std::int64_t item, int field = 0) const { return values_[part.at(item, field)]; }
  double sum(const Part& part, std::int64_t item, int field) const;
  void count_confusions(const Prediction& prediction);
  std::optional<int> duration(data::TokenId token) const;

  const data::Vocabulary* vocabulary_;
  int families_ = 0;
  int pitches_ = 0;
  int lowest_pitch_ = 0;
  std::int64_t pieces_ = 0;
  std::vector<data::TokenId> durations_;
  std::vector<std::int64_t> values_;
  Part once_;  // notes, non-finite, forbidden guesses, forbidden mass
  Part by_family_, by_stretch_, by_piece_, by_bin_;
  Part families_confused_, pitches_confused_, intervals_confused_, durations_confused_;
};

}  // namespace etude::evaluate
