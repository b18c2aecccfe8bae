#include "framework/evaluate/tally.h"

#include <algorithm>
#include <bit>

namespace etude::evaluate {

namespace {
/// Nats. A token less likely than this tells of a model that has diverged, and many would overflow the sums.
constexpr double kLargestNll = 1e4;
}  // namespace

Tally::Tally(const data::Vocabulary& vocabulary)
    : vocabulary_(&vocabulary), families_(static_cast<int>(vocabulary.families().size())) {
  const auto [low, high] = vocabulary.pitch_range();
  lowest_pitch_ = low;
  pitches_ = std::max(0, high - low + 1);
  values_.assign(stretch_at(kStretches), 0);
}

void Tally::count(data::TokenId target, data::TokenId predicted, std::int64_t likelier, double nll,
                  std::int64_t position) {
  if (!(std::abs(nll) <= kLargestNll)) {
    ++values_[1];
    return;
  }
  const int family = vocabulary_->family(target);
  std::int64_t* fields = &values_[family_at(family)];
  fields[0] += 1;
  fields[1] += std::llround(nll * kScale);
  fields[2] += predicted == target ? 1 : 0;
  fields[3] += likelier < 5 ? 1 : 0;
  ++values_[confused_families_at(family, vocabulary_->family(predicted))];
  const auto stretch = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(position / kFirstStretch)));
  ++values_[stretch_at(stretch)];
  values_[stretch_at(stretch) + 1] += std::llround(nll * kScale);
  if (const int pitch = vocabulary_->pitch(target); pitch >= 0) {
    ++values_[0];
    const int guess = vocabulary_->pitch(predicted);
    ++values_[confused_pitches_at(pitch - lowest_pitch_, guess >= 0 ? guess - lowest_pitch_ : pitches_)];
  }
}

void Tally::add(const Tally& other) {
  std::transform(values_.begin(), values_.end(), other.values_.begin(), values_.begin(), std::plus<>());
}

Tally::Group Tally::family(int family) const {
  const std::int64_t* fields = &values_[family_at(family)];
  return {fields[0], static_cast<double>(fields[1]) / kScale, fields[2], fields[3]};
}

Tally::Group Tally::all() const {
  Group sum;
  std::int64_t nll = 0;
  for (int family = 0; family < families_; ++family) {
    const std::int64_t* fields = &values_[family_at(family)];
    sum.tokens += fields[0];
    nll += fields[1];
    sum.top1 += fields[2];
    sum.top5 += fields[3];
  }
  sum.nll = static_cast<double>(nll) / kScale;
  return sum;
}

std::vector<Tally::Stretch> Tally::by_position() const {
  std::vector<Stretch> found;
  for (int i = 0; i < kStretches; ++i) {
    const std::int64_t end = std::int64_t{kFirstStretch} << i;
    found.push_back({i == 0 ? 0 : end / 2, end - 1, values_[stretch_at(i)],
                     static_cast<double>(values_[stretch_at(i) + 1]) / kScale});
  }
  while (!found.empty() && found.back().tokens == 0) found.pop_back();
  return found;
}

std::int64_t Tally::notes() const { return values_[0]; }
std::int64_t Tally::non_finite() const { return values_[1]; }

std::int64_t Tally::families_confused(int target, int predicted) const {
  return values_[confused_families_at(target, predicted)];
}

std::int64_t Tally::pitches_confused(int target, int predicted) const {
  return values_[confused_pitches_at(target, predicted)];
}

}  // namespace etude::evaluate
