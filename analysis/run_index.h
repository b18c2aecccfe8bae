#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "analysis/note_stream.h"

namespace etude::analysis {

/// Whether passages count as the same only at their pitch, or also moved by any number of semitones.
enum class Pitches { kExact, kMoved };

/// Streams of many pieces, searched for passages of another. Two passages are the same when
///  * their notes have the same pitches in the same order (kMoved: up to one number of semitones for all), and
///  * each note that follows another does so in the same way (Follows); the first step from onset to onset has no way
///    before it within the passage, and so only has to be one.
/// 9 bytes a note and index, four times that while it is built; a passage of m notes is found among n in O(m + log n).
class RunIndex {
 public:
  /// `pitches` of all streams one after the other, which begin at `begins`, and how the notes follow.
  RunIndex(Pitches kind, std::span<const std::uint8_t> pitches, std::span<const Follows> follows,
           std::span<const std::int64_t> begins);

  /// For each note of a stream, how many notes from there on are a passage of an indexed stream; 0 for a lone note.
  std::vector<std::int64_t> longest_from(const std::vector<StreamNote>& stream) const;

  /// Calls `visit` with where (counted in notes over all streams) the passage of `notes` notes from `begin` on stands,
  /// for each such place, in no order.
  void find(const std::vector<StreamNote>& stream, std::int64_t begin, std::int64_t notes,
            const std::function<void(std::int64_t)>& visit) const;

 private:
  class Query;

  std::int32_t symbol(int pitch_before, int pitch, Follows follows) const;
  Query query(const std::vector<StreamNote>& stream) const;

  Pitches kind_;
  std::vector<std::int32_t> text_;    ///< a symbol for each note, how it follows the one before; 0 for a first one
  std::vector<std::int32_t> sorted_;  ///< suffix array of the text
};

}  // namespace etude::analysis
