#include "report/watch/run_list.h"

#include <algorithm>
#include <map>
#include <system_error>

#include "report/run_reader.h"

namespace etude::report::watch {
namespace {

namespace fs = std::filesystem;

constexpr double kSearchEvery = 2;  ///< seconds

/// Also one that is only just being made, or whose job waits.
bool will_be_run(const fs::path& folder) {
  std::error_code ignored;
  return is_run_folder(folder) || fs::exists(folder / ".lock", ignored) ||
         fs::exists(folder / "job" / "status.json", ignored);
}

std::vector<fs::path> runs_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (will_be_run(entry->path())) found.push_back(entry->path());
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

RunList::RunList(std::vector<fs::path> paths) : paths_(std::move(paths)) {
  for (fs::path& path : paths_) {
    path = path.lexically_normal();
    if (!path.has_filename() && path.has_parent_path()) path = path.parent_path();  // "runs/" is "runs"
  }
}

void RunList::poll(double now) {
  if (runs_.empty() || now - searched_ >= kSearchEvery || now < searched_) {
    search();
    searched_ = now;
  }
  for (RunView& run : runs_) run.poll(now, neighbourhood_);
}

bool RunList::all_over() const {
  return !runs_.empty() && std::ranges::all_of(runs_, [](const RunView& run) { return is_over(run.state()); });
}

void RunList::search() {
  for (const fs::path& path : paths_) {
    const auto below = will_be_run(path) ? std::vector<fs::path>() : runs_in(path);
    if (below.empty()) {
      const auto is_below = [&path](const RunView& run) { return run.folder().parent_path() == path; };
      if (std::ranges::none_of(runs_, is_below)) add(path);
      continue;
    }
    std::erase_if(runs_, [&path](const RunView& run) { return run.folder() == path; });
    for (const fs::path& folder : below) add(folder);
  }
  name_apart();
}

void RunList::add(const fs::path& folder) {
  const bool known = std::ranges::any_of(runs_, [&](const RunView& run) { return run.folder() == folder; });
  if (!known) runs_.emplace_back(folder);
}

/// Runs whose folders have one name are called by their paths.
void RunList::name_apart() {
  std::map<fs::path, int> folders;
  for (const RunView& run : runs_) ++folders[run.folder().filename()];
  for (RunView& run : runs_) {
    const fs::path name = run.folder().filename();
    run.rename(folders[name] == 1 ? name.string() : run.folder().string());
  }
}

}  // namespace etude::report::watch
