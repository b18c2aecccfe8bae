#include "framework/evaluate/tally.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <stdexcept>

namespace etude::evaluate {

namespace {
/// Nats. A token less likely than this tells of a model that has diverged, and many would overflow the sums.
constexpr double kLargestNll = 1e4;
constexpr int kNotes = 0, kNonFinite = 1, kForbiddenGuesses = 2, kForbiddenMass = 3;
constexpr int kIntervals = 2 * Tally::kWidestInterval + 1;
}  // namespace

Tally::Tally(const data::Vocabulary& vocabulary, std::int64_t pieces)
    : vocabulary_(&vocabulary), families_(static_cast<int>(vocabulary.families().size())), pieces_(pieces) {
  const auto [low, high] = vocabulary.pitch_range();
  lowest_pitch_ = low;
  pitches_ = std::max(0, high - low + 1);
  for (data::TokenId token = 0; token < vocabulary.size(); ++token) {
    if (vocabulary.families()[static_cast<std::size_t>(vocabulary.family(token))] == "Duration") {
      durations_.push_back(token);
    }
  }
  const auto durations = static_cast<int>(durations_.size());
  once_ = add_part(4, 1);
  by_family_ = add_part(families_, kFields);
  by_stretch_ = add_part(kStretches, 2);
  by_bin_ = add_part(kBins, 3);
  families_confused_ = add_part(families_, families_);
  pitches_confused_ = add_part(pitches_, pitches_ + 1);
  intervals_confused_ = add_part(kIntervals, kIntervals + 1);
  durations_confused_ = add_part(durations, durations + 1);
  by_piece_ = add_part(pieces_, 3);
}

Tally::Part Tally::add_part(std::int64_t items, int width) {
  const Part part{values_.size(), width};
  values_.resize(values_.size() + static_cast<std::size_t>(items * width));
  return part;
}

double Tally::sum(const Part& part, std::int64_t item, int field) const {
  return static_cast<double>(value(part, item, field)) / kScale;
}

void Tally::count(const Prediction& prediction) {
  if (!(std::abs(prediction.nll) <= kLargestNll)) {
    ++value(once_, kNonFinite);
    return;
  }
  const std::int64_t nll = std::llround(prediction.nll * kScale);
  const bool correct = prediction.predicted == prediction.target;
  const int family = vocabulary_->family(prediction.target);
  value(by_family_, family, 0) += 1;
  value(by_family_, family, 1) += nll;
  value(by_family_, family, 2) += correct ? 1 : 0;
  value(by_family_, family, 3) += prediction.likelier < 5 ? 1 : 0;

  const auto stretch =
      static_cast<int>(std::bit_width(static_cast<std::uint64_t>(prediction.position / kFirstStretch)));
  value(by_stretch_, stretch, 0) += 1;
  value(by_stretch_, stretch, 1) += nll;

  const double confidence = std::clamp(prediction.confidence, 0.0, 1.0);
  const int bin = std::min(static_cast<int>(confidence * kBins), kBins - 1);
  value(by_bin_, bin, 0) += 1;
  value(by_bin_, bin, 1) += std::llround(confidence * kScale);
  value(by_bin_, bin, 2) += correct ? 1 : 0;

  value(once_, kForbiddenGuesses) += prediction.allowed ? 0 : 1;
  value(once_, kForbiddenMass) += std::llround(std::clamp(prediction.forbidden, 0.0, 1.0) * kScale);
  const bool note = vocabulary_->pitch(prediction.target) >= 0;
  value(once_, kNotes) += note ? 1 : 0;
  if (pieces_ > 0) {
    if (prediction.piece < 0 || prediction.piece >= pieces_) throw std::out_of_range("Tally::count: piece");
    value(by_piece_, prediction.piece, 0) += 1;
    value(by_piece_, prediction.piece, 1) += note ? 1 : 0;
    value(by_piece_, prediction.piece, 2) += nll;
  }
  count_confusions(prediction);
}

void Tally::count_confusions(const Prediction& prediction) {
  ++value(families_confused_, vocabulary_->family(prediction.target), vocabulary_->family(prediction.predicted));
  const int due = vocabulary_->pitch(prediction.target), guess = vocabulary_->pitch(prediction.predicted);
  if (due >= 0) {
    ++value(pitches_confused_, due - lowest_pitch_, guess >= 0 ? guess - lowest_pitch_ : pitches_);
    if (prediction.previous_pitch >= 0) {
      const auto interval = [&](int pitch) {
        return std::clamp(pitch - prediction.previous_pitch, -kWidestInterval, kWidestInterval) + kWidestInterval;
      };
      ++value(intervals_confused_, interval(due), guess >= 0 ? interval(guess) : kIntervals);
    }
  }
  if (const auto duration_due = duration(prediction.target)) {
    const int none = static_cast<int>(durations_.size());
    ++value(durations_confused_, *duration_due, duration(prediction.predicted).value_or(none));
  }
}

std::optional<int> Tally::duration(data::TokenId token) const {
  const auto found = std::lower_bound(durations_.begin(), durations_.end(), token);
  if (found == durations_.end() || *found != token) return std::nullopt;
  return static_cast<int>(found - durations_.begin());
}

void Tally::add(const Tally& other) {
  std::transform(values_.begin(), values_.end(), other.values_.begin(), values_.begin(), std::plus<>());
}

Tally::Group Tally::family(int family) const {
  return {value(by_family_, family, 0), sum(by_family_, family, 1), value(by_family_, family, 2),
          value(by_family_, family, 3)};
}

Tally::Group Tally::all() const {
  Group all;
  std::int64_t nll = 0;
  for (int family = 0; family < families_; ++family) {
    all.tokens += value(by_family_, family, 0);
    nll += value(by_family_, family, 1);
    all.top1 += value(by_family_, family, 2);
    all.top5 += value(by_family_, family, 3);
  }
  all.nll = static_cast<double>(nll) / kScale;
  return all;
}

std::vector<Tally::Stretch> Tally::by_position() const {
  std::vector<Stretch> found;
  for (int i = 0; i < kStretches; ++i) {
    const std::int64_t end = std::int64_t{kFirstStretch} << i;
    found.push_back({i == 0 ? 0 : end / 2, end - 1, value(by_stretch_, i, 0), sum(by_stretch_, i, 1)});
  }
  while (!found.empty() && found.back().tokens == 0) found.pop_back();
  return found;
}

Tally::OfPiece Tally::piece(std::int64_t piece) const {
  return {value(by_piece_, piece, 0), value(by_piece_, piece, 1), sum(by_piece_, piece, 2)};
}

std::vector<Tally::Bin> Tally::calibration() const {
  std::vector<Bin> bins;
  for (int i = 0; i < kBins; ++i) {
    bins.push_back({static_cast<double>(i) / kBins, static_cast<double>(i + 1) / kBins, value(by_bin_, i, 0),
                    sum(by_bin_, i, 1), value(by_bin_, i, 2)});
  }
  return bins;
}

double Tally::calibration_error() const {
  std::int64_t tokens = 0;
  double apart = 0;
  for (const Bin& bin : calibration()) {
    tokens += bin.tokens;
    apart += std::abs(bin.confidence - static_cast<double>(bin.correct));
  }
  return tokens > 0 ? apart / static_cast<double>(tokens) : 0;
}

std::int64_t Tally::forbidden_guesses() const { return value(once_, kForbiddenGuesses); }
double Tally::forbidden_mass() const { return sum(once_, kForbiddenMass, 0); }
std::int64_t Tally::notes() const { return value(once_, kNotes); }
std::int64_t Tally::non_finite() const { return value(once_, kNonFinite); }

Tally::Matrix Tally::confusion(Confusion kind) const {
  const auto of = [this](const Part& part, int rows) { return Matrix{rows, part.width, values_.data() + part.begin}; };
  switch (kind) {
    case Confusion::kFamilies:
      return of(families_confused_, families_);
    case Confusion::kPitches:
      return of(pitches_confused_, pitches_);
    case Confusion::kIntervals:
      return of(intervals_confused_, kIntervals);
    case Confusion::kDurations:
      return of(durations_confused_, static_cast<int>(durations_.size()));
  }
  throw std::logic_error("Tally::confusion: kind");
}

}  // namespace etude::evaluate
