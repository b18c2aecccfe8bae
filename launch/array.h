#pragma once

#include <string>
#include <vector>

namespace etude::launch {

/// One run of several that differ in some keys.
struct Member {
  std::vector<std::string> assignments;  ///< {"seed=3"}
  std::string suffix;                    ///< "-seed-3", for its name and folder; empty for a run alone
};

/// All combinations of what is given as "KEY=VALUES", where values are a range of integers (1..5) or stand between
/// commas that no bracket encloses. A run alone when nothing is given. Throws UsageError.
std::vector<Member> members(const std::vector<std::string>& arrays);

}  // namespace etude::launch
