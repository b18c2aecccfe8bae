#pragma once

#include <optional>

#include "data/music/score.h"

namespace etude::analysis {

/// Figures of the pitches of a piece. All equal those of MusPy 0.5 (Dong et al., "MusPy: a toolkit for symbolic music
/// generation", ISMIR 2020) on the same file. Drums are left out; nan where there is no note and nothing else is said.

/// Semitones from the lowest to the highest pitch; 0 without notes (MusPy has -127 if there are drums only).
double pitch_range(const data::Score& score);
/// How many different pitches occur.
double pitches_used(const data::Score& score);
/// How many different pitch classes occur, 0..12.
double pitch_classes_used(const data::Score& score);
/// Shannon entropy of the notes' pitches, bits.
double pitch_entropy(const data::Score& score);
/// Shannon entropy of the notes' pitch classes, bits, 0..log2(12) (Wu and Yang, "The Jazz Transformer on the front
/// line", ISMIR 2020, there called H).
double pitch_class_entropy(const data::Score& score);

struct Key {
  int root = 0;  ///< pitch class, 0 is C
  bool minor = false;
  bool operator==(const Key&) const = default;
};

/// Share of the notes that lie in the major or natural minor scale of `key` (Dong et al., "MuseGAN", AAAI 2018).
double pitch_in_scale_rate(const data::Score& score, Key key);
/// The largest pitch_in_scale_rate of the 24 keys (Mogren, "C-RNN-GAN", 2016).
double scale_consistency(const data::Score& score);

/// The key by the method of Krumhansl and Schmuckler: that one of the 24 whose profile of Krumhansl and Kessler (1982)
/// correlates best with how long each pitch class sounds (Krumhansl, "Cognitive foundations of musical pitch", 1990,
/// chapter 4). Nothing for no notes, or where all twelve sound equally long.
std::optional<Key> best_key(const data::Score& score);

}  // namespace etude::analysis
