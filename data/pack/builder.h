#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/shard/manifest.h"
#include "framework/config/error.h"

namespace etude::data {

enum class ShardFormat { kHdf5, kTorch };

/// What `etude pack` was asked for.
struct PackRequest {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path output;
  ShardFormat format = ShardFormat::kHdf5;
  std::string tokenizer = "remi";
  std::optional<std::pair<int, int>> transpose;        ///< lowest and highest number of semitones, for copies
  std::map<std::string, std::string> transpose_where;  ///< which training pieces get them; empty means all
  double validation = 0.1;                             ///< share of the music that goes there
  double test = 0.1;
  std::int64_t min_notes = 16;
  std::optional<std::filesystem::path> labels;
  int threads = 0;  ///< 0: as many as there are cores
  bool overwrite = false;
};

/// Where a caller looks on, and steps in.
struct PackWatch {
  std::function<void(std::int64_t files, std::int64_t of)> progress;
  std::function<void(const Skipped&)> skipped;  ///< as they are met, in order
  std::function<bool()> stop;                   ///< asked between files; true ends in Interrupted, leaving nothing
};

struct PackReport {
  Manifest manifest;
  std::vector<std::string> warnings;
};

class Interrupted : public Error {
 public:
  using Error::Error;
};

/// The split that music goes to: a function of its id and the shares alone, so that it stays there when other music is
/// added, and copies of it go there too.
Split split_of(const std::string& id, double validation, double test);

/// Reads, tokenizes, cleans, splits and writes. The pack appears whole or not at all, and its bytes depend on the music
/// and the request (but for threads, output and where the inputs lie) alone. Throws UsageError for what cannot be
/// meant, Error when nothing could be read.
PackReport build_pack(const PackRequest& request, const PackWatch& watch = {});

}  // namespace etude::data
