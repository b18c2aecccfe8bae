// The confusion matrices told in words.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "framework/evaluate/metrics.h"

namespace etude::evaluate {
namespace {

struct Confusion {
  std::int64_t times = 0;
  std::int64_t of = 0;  ///< how often the target stood there at all
  std::string words;
};

/// Scientific pitch notation, middle C being C4: 60 is "C4".
std::string pitch_name(int pitch) {
  static constexpr std::array kNames{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  return fmt::format("{}{}", kNames[static_cast<std::size_t>(pitch % 12)], pitch / 12 - 1);
}

void collect_families(const Tally& tally, const data::Vocabulary& vocabulary, std::vector<Confusion>& found) {
  const Tally::Matrix families = tally.confusion(Tally::Confusion::kFamilies);
  for (int target = 0; target < families.rows; ++target) {
    for (int guess = 0; guess < families.columns; ++guess) {
      const std::int64_t times = families.at(target, guess);
      if (guess == target || times == 0) continue;
      const std::string& name = vocabulary.families()[static_cast<std::size_t>(target)];
      found.push_back(
          {times, tally.family(target).tokens,
           fmt::format("{} where {} was due", vocabulary.families()[static_cast<std::size_t>(guess)], name)});
    }
  }
}

void collect_pitches(const Tally& tally, std::vector<Confusion>& found) {
  const int lowest = tally.lowest_pitch();
  const Tally::Matrix pitches = tally.confusion(Tally::Confusion::kPitches);
  for (int target = 0; target < pitches.rows; ++target) {
    std::int64_t of = 0;
    for (int guess = 0; guess < pitches.columns; ++guess) of += pitches.at(target, guess);
    for (int guess = 0; guess < pitches.rows; ++guess) {  // "no pitch" is told by the families
      const std::int64_t times = pitches.at(target, guess);
      if (guess == target || times == 0) continue;
      const int distance = guess - target;
      found.push_back(
          {times, of,
           fmt::format("{} for {} ({} semitone{} too {})", pitch_name(lowest + guess), pitch_name(lowest + target),
                       std::abs(distance), std::abs(distance) == 1 ? "" : "s", distance > 0 ? "high" : "low")});
    }
  }
}

}  // namespace

std::vector<std::string> confusions_in_words(const Tally& tally, const data::Vocabulary& vocabulary, std::size_t most) {
  std::vector<Confusion> found;
  collect_families(tally, vocabulary, found);
  collect_pitches(tally, found);
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.times > b.times; });
  if (found.size() > most) found.resize(most);
  std::vector<std::string> lines;
  for (const Confusion& confusion : found) {
    lines.push_back(fmt::format("{}: {} time{}, {:.1f} % of such tokens", confusion.words, confusion.times,
                                confusion.times == 1 ? "" : "s",
                                100.0 * static_cast<double>(confusion.times) / static_cast<double>(confusion.of)));
  }
  return lines;
}

}  // namespace etude::evaluate
