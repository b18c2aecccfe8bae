#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "report/run.h"

namespace etude::report {

/// What paths on a command line come to.
struct Found {
  std::vector<std::filesystem::path> folders;  ///< run folders, each once, in the order given
  std::vector<std::string> passed_over;        ///< in words: what is no run folder
};

/// Each path is a run folder, or a folder with run folders in it, which are all taken. Something else is passed over
/// with a word. Throws UsageError when nothing remains.
Found find_runs(const std::vector<std::filesystem::path>& paths);

/// Whether a folder is one, however little of it is there.
bool is_run_folder(const std::filesystem::path& folder);

/// Reads what is there of a run. Damaged files are marked, not thrown. Curves are thinned to `most` points.
Run read_run(const std::filesystem::path& folder, std::size_t most);

/// All of them, on as many threads as there are cores, and with names that differ.
std::vector<Run> read_runs(const std::vector<std::filesystem::path>& folders, std::size_t most);

}  // namespace etude::report
