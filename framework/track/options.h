#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "framework/config/options.h"

namespace etude::track {

/// The `track` section of an experiment: who is told of a run while it trains. Nothing of it changes the run.
struct TrackOptions {
  bool tensorboard = true;
  std::int64_t piece_tokens = 0;
  std::string url;
  std::int64_t batch = 1;
  std::filesystem::path file;
  std::string mlflow;
  std::string experiment = "etude";
};
void describe(config::Section& section, TrackOptions& options);

/// What no single option can see: addresses that are none. Empty where all is well.
std::vector<std::string> complaints(const TrackOptions& options);

}  // namespace etude::track
