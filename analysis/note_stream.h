#pragma once

#include <cstdint>
#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// The grid on which notes are struck together or not. Tokenizers have the same for the usual meters, so music that
/// went through tokens and music that did not come to the same notes.
inline constexpr std::int64_t kStepsPerQuarter = 8;

struct StreamNote {
  std::int64_t start = 0;  ///< ticks of the score
  std::int64_t end = 0;    ///< ticks of the score
  std::int64_t step = 0;   ///< start on the grid
  std::int64_t bar =
      1;  ///< that the step lies in, from 1, so that a note played a little early is in the bar it is written in
  int pitch = 60;
};

/// A piece as one line of notes: all tracks but drums, by their place on the grid and then by pitch, so that the order
/// in which a file lists a chord's notes is of no matter; of notes with one pitch and place the longest.
std::vector<StreamNote> note_stream(const data::Score& score);

/// How a note follows the one before it in the stream. Only whether the way from onset to onset is shorter than, about
/// as long as, or longer than the one before it counts, so neither tempo nor resolution nor note values do.
enum class Follows : std::uint8_t {
  kTogether,  ///< struck with the one before
  kFirst,     ///< the piece's second onset: there is no way before it to compare with
  kSooner,    ///< in less than 3/5 of the way before
  kEvenly,
  kLater,  ///< in more than 5/3 of it
};
inline constexpr int kFollows = 5;

/// For each note but the first; the first has kTogether, which means nothing.
std::vector<Follows> rhythm(const std::vector<StreamNote>& stream);

}  // namespace etude::analysis
