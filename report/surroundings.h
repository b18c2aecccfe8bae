#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "report/standing.h"

namespace etude::report {

/// Finds what a run's loss can be compared with: its n-gram floor (floor.json), the size of its vocabulary, and the
/// runs beside it in the same folder. What cannot be read is not there.
///
/// Runs are alike when their checkpoints name the same pack and their evaluations the same number of tokens. Of each,
/// only the evaluations are looked at, and of a metrics.jsonl that has grown only what was added, so that one
/// Neighbourhood serves many runs, or one again and again.
class Neighbourhood {
 public:
  Surroundings of(const std::filesystem::path& run);

 private:
  struct Neighbour {
    std::uint64_t seen = 0;      ///< bytes of metrics.jsonl, whole lines alone
    std::string pack;            ///< its hash; empty where no checkpoint tells
    std::int64_t evaluated = 0;  ///< tokens of an evaluation
    std::optional<double> best;
  };
  const Neighbour& look(const std::filesystem::path& run);

  std::map<std::filesystem::path, Neighbour> known_;
};

}  // namespace etude::report
