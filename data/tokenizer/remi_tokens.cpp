#include "data/tokenizer/remi_tokens.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

std::vector<std::string> remi_vocabulary(const RemiSettings& settings, const TimeGrid& grid,
                                         const VelocityScale& velocities) {
  std::vector<std::string> tokens{"PAD_None", "BOS_None", "EOS_None", "MASK_None", "Bar_None"};
  for (int key = settings.lowest_pitch; key <= settings.highest_pitch; ++key)
    tokens.push_back(fmt::format("Pitch_{}", key));
  for (const int velocity : velocities.values()) tokens.push_back(fmt::format("Velocity_{}", velocity));
  for (const std::string& duration : grid.duration_names()) tokens.push_back("Duration_" + duration);
  for (int position = 0; position < grid.most_positions_per_bar(); ++position)
    tokens.push_back(fmt::format("Position_{}", position));
  for (int key = kLowestDrum; key <= kHighestDrum; ++key) tokens.push_back(fmt::format("PitchDrum_{}", key));
  for (const Meter& meter : grid.meters())
    tokens.push_back(fmt::format("TimeSig_{}/{}", meter.numerator, meter.denominator));
  return tokens;
}

TokenRange range_of(const Vocabulary& vocabulary, const std::string& family) {
  TokenRange range;
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary.size()); ++id) {
    if (vocabulary.families()[static_cast<std::size_t>(vocabulary.family(id))] != family) continue;
    if (range.count == 0) range.first = id;
    ++range.count;
  }
  return range;
}

const RemiSettings& checked(const RemiSettings& settings) {
  if (settings.lowest_pitch < 0 || settings.highest_pitch >= kPitches || settings.lowest_pitch > settings.highest_pitch)
    throw Error(fmt::format("pitch range {}..{}: it lies within 0..127, lowest first", settings.lowest_pitch,
                            settings.highest_pitch));
  return settings;
}

}  // namespace

RemiTokens::RemiTokens(const RemiSettings& given)
    : settings(checked(given)),
      grid(settings.beat_resolutions, settings.time_signatures),
      velocities(settings.velocities),
      vocabulary(remi_vocabulary(settings, grid, velocities)),
      pad(vocabulary.id("PAD_None")),
      bos(vocabulary.id("BOS_None")),
      eos(vocabulary.id("EOS_None")),
      mask(vocabulary.id("MASK_None")),
      bar(vocabulary.id("Bar_None")),
      pitch(range_of(vocabulary, "Pitch")),
      velocity(range_of(vocabulary, "Velocity")),
      duration(range_of(vocabulary, "Duration")),
      position(range_of(vocabulary, "Position")),
      drum(range_of(vocabulary, "PitchDrum")),
      meter(range_of(vocabulary, "TimeSig")) {}

}  // namespace etude::data
