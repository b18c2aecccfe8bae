#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/shard/pack.h"

namespace etude::data {

inline constexpr int kShardVersion = 1;

/// How tokens lie on disk, little-endian: the smallest unsigned type that fits the vocabulary.
enum class TokenType { kUint8 = 1, kUint16 = 2, kUint32 = 4 };
TokenType token_type_for(std::int64_t vocabulary_size);
inline std::size_t bytes_of(TokenType type) { return static_cast<std::size_t>(type); }
/// "uint8", …
std::string to_string(TokenType type);
/// Tokens as they lie on disk. They must fit the type.
std::vector<std::byte> narrowed(std::span<const TokenId> tokens, TokenType type);

/// Hashes (files::hash) that tie a shard to its pack.
struct ShardChecksums {
  std::string vocabulary;  ///< of the tokens of the vocabulary, each followed by a newline
  std::string tokens;      ///< of the tokens as they lie on disk
  std::string offsets;     ///< of the offsets as little-endian int64
  bool operator==(const ShardChecksums&) const = default;
};
std::string vocabulary_checksum(const Vocabulary& vocabulary);
std::string offsets_checksum(std::span<const std::int64_t> offsets);

/// What a shard says of its pieces, so that it can be used without pack.json. All of one length.
struct PieceTexts {
  std::vector<std::string> composers;
  std::vector<std::string> titles;
  std::vector<std::string> labels;  ///< a JSON object each: {"mood": "calm"}
  void add(const Piece& piece);
  bool operator==(const PieceTexts&) const = default;
};

/// All that goes into a shard file.
struct ShardContent {
  TokenType type = TokenType::kUint16;
  std::span<const std::byte> tokens;  ///< narrowed
  std::vector<std::int64_t> offsets;  ///< piece i is tokens [offsets[i], offsets[i + 1])
  PieceTexts texts;
  ShardChecksums checksums;
};

/// A shard as it lies in a file.
class StoredShard : public Shard {
 public:
  /// One more than there are pieces; starts with 0, never falls, ends with size().
  virtual const std::vector<std::int64_t>& offsets() const = 0;
  /// As the file states them; what it holds may differ.
  virtual const ShardChecksums& checksums() const = 0;
  virtual PieceTexts texts() const = 0;
};

/// Which of the two by the file's extension, .h5 or .pt. Throws Error naming the file and what does not fit.
std::unique_ptr<StoredShard> open_shard(const std::filesystem::path& file);
/// Makes the file, which must not be there yet. The same content gives the same bytes.
void write_shard(const std::filesystem::path& file, const ShardContent& content);

/// Throws Error when a program newer than this one wrote the shard.
void check_shard_version(const std::filesystem::path& file, std::int64_t version);
/// Throws Error unless offsets are what StoredShard::offsets() promises.
void check_offsets(const std::filesystem::path& file, std::span<const std::int64_t> offsets, std::int64_t tokens);
/// Throws Error unless [begin, begin + count) lies within the shard.
void check_range(const std::filesystem::path& file, std::int64_t begin, std::size_t count, std::int64_t size);

}  // namespace etude::data
