#include "data/shard/stored_shard.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/shard/hdf5_shard.h"
#include "data/shard/torch_shard.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data {

static_assert(std::endian::native == std::endian::little, "shards are little-endian and read as they lie");

TokenType token_type_for(std::int64_t vocabulary_size) {
  if (vocabulary_size <= 1 << 8) return TokenType::kUint8;
  if (vocabulary_size <= 1 << 16) return TokenType::kUint16;
  return TokenType::kUint32;
}

std::string to_string(TokenType type) { return fmt::format("uint{}", 8 * bytes_of(type)); }

std::vector<std::byte> narrowed(std::span<const TokenId> tokens, TokenType type) {
  const std::size_t width = bytes_of(type);
  std::vector<std::byte> bytes(tokens.size() * width);
  for (std::size_t i = 0; i < tokens.size(); ++i) std::memcpy(bytes.data() + i * width, &tokens[i], width);
  return bytes;
}

std::string vocabulary_checksum(const Vocabulary& vocabulary) {
  std::string text;
  for (const std::string& token : vocabulary.tokens()) text += token + '\n';
  return files::hash(text);
}

std::string offsets_checksum(std::span<const std::int64_t> offsets) { return files::hash(std::as_bytes(offsets)); }

void PieceTexts::add(const Piece& piece) {
  composers.push_back(piece.composer);
  titles.push_back(piece.title);
  labels.push_back(nlohmann::json(piece.labels).dump());
}

namespace {

bool is_torch(const std::filesystem::path& file) {
  if (file.extension() == ".pt") return true;
  if (file.extension() == ".h5") return false;
  throw Error(fmt::format("shard {}: neither .h5 nor .pt", file.string()));
}

}  // namespace

std::unique_ptr<StoredShard> open_shard(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(
        fmt::format("shard {} is missing (incomplete copy of the pack? copy the whole folder again)", file.string()));
  }
  return is_torch(file) ? open_torch_shard(file) : open_hdf5_shard(file);
}

void write_shard(const std::filesystem::path& file, const ShardContent& content) {
  is_torch(file) ? write_torch_shard(file, content) : write_hdf5_shard(file, content);
}

void check_shard_version(const std::filesystem::path& file, std::int64_t version) {
  if (version > kShardVersion) {
    throw Error(
        fmt::format("shard {}: written in version {} of the format, this program reads up to {} (use a newer "
                    "etude, or pack the music again)",
                    file.string(), version, kShardVersion));
  }
}

void check_offsets(const std::filesystem::path& file, std::span<const std::int64_t> offsets, std::int64_t tokens) {
  const std::string way_out = "(truncated or damaged copy? run 'etude inspect --verify', or copy the pack again)";
  if (offsets.empty() || offsets.front() != 0) {
    throw Error(fmt::format("shard {}: 'offsets' does not start with 0 {}", file.string(), way_out));
  }
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) {
      throw Error(fmt::format("shard {}: 'offsets' falls from {} to {} at piece {} {}", file.string(), offsets[i - 1],
                              offsets[i], i - 1, way_out));
    }
  }
  if (offsets.back() != tokens) {
    throw Error(fmt::format("shard {}: 'tokens' has {} values but 'offsets' ends at {} {}", file.string(), tokens,
                            offsets.back(), way_out));
  }
}

void check_range(const std::filesystem::path& file, std::int64_t begin, std::size_t count, std::int64_t size) {
  if (begin < 0 || begin > size || count > static_cast<std::size_t>(size - begin)) {
    throw Error(fmt::format("shard {}: tokens {} to {} were asked for, but it has {}", file.string(), begin,
                            begin + static_cast<std::int64_t>(count), size));
  }
}

}  // namespace etude::data
