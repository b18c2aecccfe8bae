#pragma once

#include <string>
#include <vector>

#include "data/tokenizer/vocabulary.h"

namespace etude::testing {

/// BOS_None 0, EOS_None 1, Bar_None 2, Pitch_59 3, Pitch_60 4, Pitch_61 5, Velocity_64 6. Families: BOS 0, EOS 1, Bar
/// 2, Pitch 3, Velocity 4.
inline data::Vocabulary small_vocabulary() {
  return data::Vocabulary({"BOS_None", "EOS_None", "Bar_None", "Pitch_59", "Pitch_60", "Pitch_61", "Velocity_64"});
}

inline constexpr data::TokenId kEnd = 1, kBar = 2, kB3 = 3, kC4 = 4, kCSharp4 = 5, kVelocity = 6;
inline constexpr int kBarFamily = 2, kPitchFamily = 3, kVelocityFamily = 4;

}  // namespace etude::testing
