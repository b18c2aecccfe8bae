#pragma once

#include <optional>
#include <vector>

#include "data/tokenizer/quantize.h"
#include "data/tokenizer/time_grid.h"
#include "data/tokenizer/vocabulary.h"

namespace etude::data {

/// What a REMI vocabulary is made from; by default MidiTok 3.1.0's TokenizerConfig().
struct RemiSettings {
  int lowest_pitch = 21;
  int highest_pitch = 109;
  int velocities = 32;
  std::vector<BeatResolution> beat_resolutions = TimeGrid::default_resolutions();
  std::vector<Meter> time_signatures = TimeGrid::default_meters();
  bool operator==(const RemiSettings&) const = default;
};

/// Ids of one family, which follow one another.
struct TokenRange {
  TokenId first = 0;
  TokenId count = 0;
  bool holds(TokenId id) const { return id >= first && id - first < count; }
  TokenId operator[](int index) const { return first + index; }
};

/// Drums have tokens in MidiTok's vocabulary; they are kept, unused by encode, so that ids are the same.
inline constexpr int kLowestDrum = 27, kHighestDrum = 88;

/// The REMI vocabulary with the ids that encoder, decoder and grammar work with.
struct RemiTokens {
  /// Throws Error when the settings make no vocabulary.
  explicit RemiTokens(const RemiSettings& settings);

  RemiSettings settings;
  TimeGrid grid;
  VelocityScale velocities;
  Vocabulary vocabulary;

  TokenId pad, bos, eos, mask, bar;
  TokenRange pitch, velocity, duration, position, drum, meter;

  int pitch_of(TokenId id) const { return settings.lowest_pitch + (id - pitch.first); }
};

}  // namespace etude::data
