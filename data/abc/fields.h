#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "data/abc/fraction.h"

namespace etude::data::abc {

// What stands behind the colon of a field. Each function throws std::invalid_argument that says what is wrong with it.

struct Metre {
  int numerator = 4;
  int denominator = 4;
  bool free = false;  ///< M:none
  Fraction length() const { return {numerator, denominator}; }
  /// 6/8, 9/8, 12/8: where unnamed tuplets fill three units rather than two.
  bool compound() const { return numerator > 3 && numerator % 3 == 0; }
  bool operator==(const Metre&) const = default;
};

struct Key {
  int sharps = 0;
  bool minor = false;
  bool named = true;                ///< false for K: without a tonic (none, clefs only)
  std::array<int, 7> alteration{};  ///< semitones for C D E F G A B
  bool operator==(const Key&) const = default;
};

/// A voice's V: field, or the same properties in K:.
struct VoiceProperties {
  std::string id;
  std::string name;
  std::optional<int> semitones;  ///< transposition: octave=, transpose=, clefs with an 8
};

Metre parse_metre(std::string_view value);
Fraction parse_unit_length(std::string_view value);
/// The unit length when there is no L: 1/16 below three quarters of a whole note, else 1/8.
Fraction default_unit_length(const Metre& metre);
/// Quarters per minute; nothing when the field has only words. `unit` is the unit length, for "Q:120".
std::optional<double> parse_tempo(std::string_view value, const Fraction& unit);
Key parse_key(std::string_view value);
VoiceProperties parse_voice(std::string_view value);
/// Only the properties, as they may follow a key: "clef=bass octave=-1".
VoiceProperties parse_properties(std::string_view value);

}  // namespace etude::data::abc
