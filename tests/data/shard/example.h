#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/shard/stored_shard.h"
#include "framework/files/files.h"

namespace etude::testing {

/// Three pieces, the second of them empty, whose tokens include the largest that the type holds.
struct ExampleShard {
  explicit ExampleShard(data::TokenType type)
      : tokens{1, 2, type == data::TokenType::kUint8 ? 255 : 65'535, 7, 8},
        bytes(data::narrowed(tokens, type)),
        content{type, bytes, {0, 3, 3, 5}, texts(), {"voc", files::hash(bytes), ""}} {
    content.checksums.offsets = data::offsets_checksum(content.offsets);
  }
  static data::PieceTexts texts() {
    return {{"Frédéric Chopin", "", "Trad."}, {"Prélude", "", "雨"}, {R"({"mood":"sad"})", "{}", "{}"}};
  }

  std::vector<data::TokenId> tokens;
  std::vector<std::byte> bytes;
  data::ShardContent content;
};

}  // namespace etude::testing
