#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "data/shard/manifest.h"
#include "data/shard/pack.h"
#include "data/shard/stored_shard.h"

namespace etude::data {

struct Pack::State {
  std::filesystem::path folder;
  Manifest manifest;
  std::unique_ptr<Tokenizer> tokenizer;
  std::array<std::unique_ptr<StoredShard>, kSplits.size()> shards;
  std::string hash;

  const StoredShard& shard(Split which) const { return *shards[static_cast<std::size_t>(which)]; }
};

/// Reads tokens and makes sure that the vocabulary has them: what reads them uses them as indices.
void read_checked(const std::filesystem::path& file, const StoredShard& shard, std::int64_t begin,
                  std::span<TokenId> out, const Vocabulary& vocabulary);

}  // namespace etude::data
