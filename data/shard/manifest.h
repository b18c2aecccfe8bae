#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "data/shard/stored_shard.h"

namespace etude::data {

inline constexpr int kPackVersion = 1;
inline constexpr const char* kManifestName = "pack.json";

enum class SkipKind {
  kUnreadable,  ///< malformed or unreadable
  kDuplicate,   ///< the same bytes as an earlier one
  kShort,       ///< fewer notes than asked for
};
inline constexpr std::array kSkipKinds{SkipKind::kUnreadable, SkipKind::kDuplicate, SkipKind::kShort};
/// "unreadable", "duplicate", "short".
std::string to_string(SkipKind kind);

/// A file or tune that is not in the pack, and why.
struct Skipped {
  std::string file;
  std::string reason;
  SkipKind kind = SkipKind::kUnreadable;
  bool operator==(const Skipped&) const = default;
};

/// One split as pack.json tells of it.
struct ManifestSplit {
  std::string file;  ///< of the shard, within the pack's folder
  ShardChecksums checksums;
  std::vector<Piece> pieces;
  /// Of all its pieces.
  std::int64_t tokens() const;
  std::int64_t notes() const;
  double seconds() const;
};

/// What pack.json holds (docs/formats.md).
struct Manifest {
  nlohmann::json tokenizer;             ///< Tokenizer::to_json()
  std::vector<std::string> vocabulary;  ///< its tokens, by id
  std::array<ManifestSplit, kSplits.size()> splits;
  std::int64_t files = 0;  ///< that were looked at
  std::vector<Skipped> skipped;
  nlohmann::json made = nlohmann::json::object();  ///< by which program, with which options
  bool untouched = true;                           ///< whether its own checksum fits, for one that was read

  ManifestSplit& split(Split which) { return splits[static_cast<std::size_t>(which)]; }
  const ManifestSplit& split(Split which) const { return splits[static_cast<std::size_t>(which)]; }
};

/// JSON, one piece a line. The same manifest gives the same text.
std::string to_text(const Manifest& manifest);
/// Throws Error naming the file and what is wrong with it.
Manifest read_manifest(const std::filesystem::path& file);
/// Whether a folder holds a pack, in whatever state: what --overwrite may replace.
bool is_pack(const std::filesystem::path& folder);

}  // namespace etude::data
