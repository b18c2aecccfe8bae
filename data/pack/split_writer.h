#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "data/shard/manifest.h"
#include "data/shard/stored_shard.h"

namespace etude::data {

/// Gathers the pieces of one split. Their tokens wait in a file, so that a corpus need not fit into memory.
class SplitWriter {
 public:
  /// `extension` of the shard, ".h5" or ".pt". Throws Error naming the file that cannot be written, as the others do.
  SplitWriter(const std::filesystem::path& folder, Split split, const std::string& extension,
              const Vocabulary& vocabulary);
  void add(Piece piece, std::span<const TokenId> tokens);
  /// Writes the shard and removes the waiting file.
  ManifestSplit finish();

 private:
  std::filesystem::path shard_;
  std::filesystem::path waiting_;
  std::ofstream stream_;
  TokenType type_;
  std::vector<std::int64_t> offsets_{0};
  ManifestSplit entry_;
};

}  // namespace etude::data
