#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "analysis/copying.h"
#include "data/shard/pack.h"

namespace etude::analysis {

/// A run with at most so many telling notes (SharedRun) is never called a copy: two bars that any piece may have.
inline constexpr std::int64_t kLeastCopied = 16;
/// What a run has to exceed where too few held-out pieces say what is usual.
inline constexpr std::int64_t kCopiedByItself = 24;
inline constexpr std::int64_t kFewHeldOut = 8;

/// A piece and what it shares with the training set.
struct ComparedPiece {
  std::string name;
  Copying shared;
  bool copied = false;  ///< its longest run has more telling notes than the threshold

  std::int64_t telling() const { return shared.longest ? shared.longest->telling : 0; }
};

/// Whether generated music is the training set's, beside music that cannot be.
struct CopyingReport {
  /// The upper fence of what held-out pieces share (Tukey, Exploratory Data Analysis, 1977), of logarithms since
  /// lengths of chance runs are skewed: with quartiles q1 and q3 of their longest runs' telling notes, q3 (q3 /
  /// q1)^1.5, at least kLeastCopied. Unlike a high percentile it does not rise when some held-out pieces are another
  /// version of a training piece; these are marked as copied themselves.
  double threshold = 0;
  std::int64_t training_pieces = 0;
  std::int64_t training_notes = 0;
  std::vector<ComparedPiece> generated;
  std::vector<ComparedPiece> held_out;
};

/// Told now and then: what is done ("reading the training set", …), how far, and of how much (0: not known).
using CopyingProgress = std::function<void(const std::string& doing, std::int64_t done, std::int64_t of)>;

CopyingReport find_copies(std::span<const NamedScore> generated, const NextScore& held_out, const NextScore& training,
                          const CopyingProgress& progress = {});

/// A split's pieces as their tokens have them, named by their files, without transposed copies; at most `most` of them,
/// spread over the split (0: all). The pack must outlive what is returned.
NextScore scores_of(const data::Pack& pack, data::Split split, std::int64_t most = 0);

/// `copying` of a piece in music.json (docs/formats.md).
nlohmann::json to_json(const ComparedPiece& piece);
/// `copying` of all pieces in music.json.
nlohmann::json to_json(const CopyingReport& report);
/// What a piece copies: "sample-3.mid, bars 5 to 12: 64 notes (21 s) of chopin/op28_7.mid, bars 9 to 16, 3 semitones
/// higher". Empty for one that shares nothing.
std::string in_words(const ComparedPiece& piece);
/// The findings for a person, several lines.
std::string in_words(const CopyingReport& report);

}  // namespace etude::analysis
