#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace etude::testing {

/// What of a run folder the report and the watch read, by names within it. An input of the fuzz target begins with a
/// byte that says which of them it is put in the place of.
const std::vector<std::string>& files_of_a_run();
/// As it was before any damage.
std::string good_file(std::size_t which);

}  // namespace etude::testing
