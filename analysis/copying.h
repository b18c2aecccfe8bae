#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run_index.h"
#include "data/music/score.h"

namespace etude::analysis {

/// A piece with the name by which a person knows it.
struct NamedScore {
  std::string name;
  data::Score score;
};

/// Gives pieces one at a time, nothing when there are no more.
using NextScore = std::function<std::optional<NamedScore>()>;

/// Lengths of shared runs for which the share of notes that lie in one is told.
inline constexpr std::array<std::int64_t, 3> kOverlapLengths{8, 16, 32};

/// A run of notes that a piece shares with an indexed one.
struct SharedRun {
  std::int64_t first = 0;  ///< which notes of the piece's stream
  std::int64_t notes = 0;
  /// The same without repetitions: 3 + how many different figures of four notes the run has. For a run that never
  /// repeats itself that is `notes`; a repeated note, a trill, a scale or an Alberti bass comes to less than 8 however
  /// long it is. This is the length by which runs are compared.
  std::int64_t telling = 0;
  double seconds = 0;  ///< in the piece, until its last note ends
  std::int64_t bar = 1, last_bar = 1;
  int semitones = 0;  ///< by which the piece lies above the source
  std::string source;
  std::int64_t source_bar = 1, source_last_bar = 1;
};

/// What one piece shares with the indexed ones.
struct Copying {
  std::int64_t notes = 0;  ///< of the piece's stream, without doublings in octaves
  /// By `telling`, then by notes; where it stands in several places the one at the same pitch, then the first.
  std::optional<SharedRun> longest;
  std::optional<SharedRun> longest_exact;  ///< without transposition
  /// By length n: the share of the piece's notes that lie in runs of at least n telling notes, transposed or not.
  std::map<std::int64_t, double> overlap;
  std::map<std::int64_t, double> overlap_exact;
};

/// Pieces in which copies of others' notes are looked for. What counts as the same: RunIndex, on lines in which a note
/// that is struck together with the same note one or more octaves lower is left out, so that doubling a tune in octaves
/// makes no other music of it. About 35 bytes a note.
class CopyIndex {
 public:
  /// `added` is told after each piece how many there are.
  explicit CopyIndex(const NextScore& next, const std::function<void(std::int64_t pieces)>& added = {});

  std::int64_t pieces() const { return std::ssize(names_); }
  std::int64_t notes() const { return std::ssize(pitches_); }

  Copying compare(const data::Score& score) const;

 private:
  struct Place;
  /// Where in the indexed pieces a run stands.
  Place place_of(const RunIndex& index, const std::vector<StreamNote>& stream, const SharedRun& run) const;
  std::int64_t piece_of(std::int64_t note) const;

  std::vector<std::string> names_;
  std::vector<std::int64_t> begins_;  ///< of each piece, in notes over all
  std::vector<std::uint8_t> pitches_;
  std::vector<std::int32_t> bars_;
  std::unique_ptr<RunIndex> exact_;
  std::unique_ptr<RunIndex> moved_;
};

}  // namespace etude::analysis
