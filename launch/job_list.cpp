#include "launch/job_list.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/document.h"
#include "framework/files/files.h"

namespace etude::launch {
namespace {

namespace fs = std::filesystem;

fs::path list_folder() {
  const auto given = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value != nullptr ? value : "");
  };
  if (const fs::path state = given("XDG_STATE_HOME"); !state.empty()) return state / "etude" / "jobs";
  if (const fs::path home = given("HOME"); !home.empty()) return home / ".local" / "state" / "etude" / "jobs";
  throw UsageError("neither XDG_STATE_HOME nor HOME is set: there is no place to remember jobs");
}

fs::path folder_in(const fs::path& file) {
  std::string text = files::read(file);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

std::vector<JobList::Entry> JobList::all() const {
  std::vector<Entry> entries;
  std::error_code absent;
  for (const auto& file : fs::directory_iterator(list_folder(), absent)) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with(".")) entries.push_back({name, folder_in(file.path())});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

Job JobList::find(const std::string& name) const {
  std::vector<std::string> names;
  for (const Entry& entry : all()) {
    if (entry.name == name) return load_job(entry.folder);
    names.push_back(entry.name);
  }
  for (const fs::path& folder : {fs::path(name), fs::path(name) / "job"}) {
    if (fs::exists(folder / "job.json")) return load_job(folder);
  }
  if (names.empty())
    throw UsageError(fmt::format("there is no job '{}', nor any other; 'etude launch' starts one", name));
  const std::string near = config::nearest(name, names);
  throw UsageError(fmt::format("there is no job '{}'; {}there are {}", name,
                               near.empty() ? "" : fmt::format("did you mean '{}'? ", near), fmt::join(names, ", ")));
}

std::string JobList::enter(const std::string& wanted, const fs::path& folder) {
  const fs::path list = list_folder();
  fs::create_directories(list);
  for (int number = 1;; ++number) {
    const std::string name = number == 1 ? wanted : fmt::format("{}-{}", wanted, number);
    const fs::path file = list / name;
    if (fs::exists(file)) {
      const fs::path other = folder_in(file);
      if (other != folder && fs::exists(other / "job.json")) continue;
    }
    files::write_atomically(file, folder.string() + "\n");
    return name;
  }
}

void JobList::forget(const std::string& name) { fs::remove(list_folder() / name); }

}  // namespace etude::launch
