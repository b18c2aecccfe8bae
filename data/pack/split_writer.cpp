#include "data/pack/split_writer.h"

#include <fmt/format.h>

#include "data/shard/mapped_file.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data {
namespace {

void check(const std::ofstream& stream, const std::filesystem::path& file) {
  if (!stream) throw Error(fmt::format("{} cannot be written (full disk?)", file.string()));
}

}  // namespace

SplitWriter::SplitWriter(const std::filesystem::path& folder, Split split, const std::string& extension,
                         const Vocabulary& vocabulary)
    : shard_(folder / (to_string(split) + extension)),
      waiting_(folder / (to_string(split) + ".tokens")),
      stream_(waiting_, std::ios::binary),
      type_(token_type_for(vocabulary.size())) {
  check(stream_, waiting_);
  entry_.file = shard_.filename().string();
  entry_.checksums.vocabulary = vocabulary_checksum(vocabulary);
}

void SplitWriter::add(Piece piece, std::span<const TokenId> tokens) {
  const std::vector<std::byte> bytes = narrowed(tokens, type_);
  stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  check(stream_, waiting_);
  offsets_.push_back(offsets_.back() + static_cast<std::int64_t>(tokens.size()));
  entry_.pieces.push_back(std::move(piece));
}

ManifestSplit SplitWriter::finish() {
  stream_.close();
  check(stream_, waiting_);
  {
    const MappedFile tokens(waiting_);
    entry_.checksums.tokens = files::hash(tokens.bytes());
    entry_.checksums.offsets = offsets_checksum(offsets_);
    ShardContent content{type_, tokens.bytes(), std::move(offsets_), {}, entry_.checksums};
    for (const Piece& piece : entry_.pieces) content.texts.add(piece);
    write_shard(shard_, content);
  }
  std::filesystem::remove(waiting_);
  return std::move(entry_);
}

}  // namespace etude::data
