#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/measured.h"
#include "report/run.h"

namespace etude::report {

/// Runs of one configuration, which differ by the seed alone.
struct Group {
  std::string name;                                   ///< what tells it from the others: "gpt2, width 256"
  std::vector<std::size_t> runs;                      ///< all of them, as indices
  std::vector<std::size_t> measured;                  ///< those that may be compared
  std::vector<std::pair<std::string, Json>> differs;  ///< options that are not the same in all groups
  std::size_t table = 0;  ///< groups with one number may be compared; meaningless where `measured` is empty
};

struct Grouping {
  std::vector<Group> groups;
  std::size_t tables = 0;  ///< how many sets of groups there are that cannot be compared with each other
  /// Of each run the earlier one of its group with its seed that measured the same to the last digit of every piece: a
  /// copy of its folder, or the same training once more. It says nothing new of how far seeds lie apart, and is not
  /// among `measured`.
  std::vector<std::optional<std::size_t>> same_as;
};

/// Puts runs together whose options are the same, but for the seed, names and places, and what decides nothing but
/// speed. Runs of one configuration that were measured on different music are different groups.
Grouping group_runs(const std::vector<Run>& runs, const std::vector<Measured>& measured, const Metric& metric);

/// The seed of a run's configuration, null where it says none.
Json seed_of(const Run& run);

/// Whether an option has no part in what a run learns: its name, its output, devices, what is logged.
bool is_incidental(const std::string& key);

/// Options that are not the same in all runs, in the order of their names; `values` are one per run, null where a run
/// does not have it.
struct Difference {
  std::string key;
  std::vector<Json> values;
};
std::vector<Difference> differences(const std::vector<Run>& runs);

/// "256", "0.001", "[-5, 6]".
std::string value_text(const Json& value);

}  // namespace etude::report
