#include "framework/checkpoint/store.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";

std::string folder_name(std::int64_t step) { return fmt::format("{}{:08}", kPrefix, step); }

bool is_checkpoint_name(const std::string& name) {
  return name.size() >= kPrefix.size() + 8 && name.starts_with(kPrefix) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(kPrefix.size()), name.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// A run that goes back will come to this step again: the damaged folder must neither stand in the way of the one that
/// is written then, nor count among the newest until then.
void set_aside(const fs::path& folder) {
  const fs::path aside = folder.string() + ".damaged";
  fs::remove_all(aside);
  fs::rename(folder, aside);
}

Error not_written(const fs::path& folder, const std::string& why) {
  return Error(
      fmt::format("{}: the checkpoint could not be written: {}. Earlier ones are as they were: free some "
                  "space, or mend what else is wrong, and go on with --resume",
                  folder.string(), why));
}

}  // namespace

void point_link(const fs::path& folder, const std::string& name, const fs::path& target) {
  // A link cannot be changed in place: a new one under another name replaces the old one whole.
  const fs::path fresh = folder / ("." + name + ".new");
  fs::remove(fresh);
  fs::create_directory_symlink(target.filename(), fresh);
  fs::rename(fresh, folder / name);
}

Store::Store(fs::path folder, CheckpointOptions options, bool more_is_better)
    : folder_(std::move(folder)), options_(options), more_is_better_(more_is_better) {}

std::vector<fs::path> Store::newest_first() const {
  std::vector<fs::path> found;
  if (!fs::is_directory(folder_)) return found;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.is_directory() && !entry.is_symlink() && is_checkpoint_name(entry.path().filename().string())) {
      found.push_back(entry.path());
    }
  }
  // Longer names are later steps; among equally long ones the digits decide.
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const std::string x = a.filename().string(), y = b.filename().string();
    return x.size() != y.size() ? x.size() > y.size() : x > y;
  });
  return found;
}

std::vector<fs::path> Store::best_first() const {
  std::vector<std::pair<double, fs::path>> rated;
  std::vector<fs::path> all = newest_first();
  std::reverse(all.begin(), all.end());  // of equals the older one counts as better, as in early stopping
  for (const fs::path& folder : all) {
    try {
      if (const auto metric = read_manifest(folder).metric) rated.emplace_back(*metric, folder);
    } catch (const Error&) {
      // Damaged: load_newest() names it; here it is only not a candidate.
    }
  }
  std::stable_sort(rated.begin(), rated.end(), [this](const auto& a, const auto& b) {
    return more_is_better_ ? a.first > b.first : a.first < b.first;
  });
  std::vector<fs::path> folders;
  for (auto& [metric, folder] : rated) folders.push_back(std::move(folder));
  return folders;
}

bool Store::would_be_kept(double metric) const {
  const auto best = best_first();
  if (static_cast<std::int64_t>(best.size()) < options_.keep_best) return true;
  if (options_.keep_best == 0) return false;
  const double worst_kept = *read_manifest(best[static_cast<std::size_t>(options_.keep_best - 1)]).metric;
  return more_is_better_ ? metric > worst_kept : metric < worst_kept;
}

fs::path Store::folder_of(std::int64_t step) const { return folder_ / folder_name(step); }

void Store::save(const Snapshot& snapshot) {
  const fs::path folder = folder_of(snapshot.step);
  try {
    if (!fs::exists(folder)) {
      files::write_folder_atomically(folder, false, [&](const fs::path& fresh) { write_snapshot(fresh, snapshot); });
    }
    move_links();
    remove_old();
  } catch (const fs::filesystem_error& error) {
    throw not_written(folder, error.code().message());
  } catch (const Error& error) {
    throw not_written(folder, error.what());
  }
}

void Store::move_links() const {
  std::vector<std::string> named;
  const auto link = [&](const std::string& name, const fs::path& target) {
    point_link(folder_, name, target);
    named.push_back(name);
  };
  if (const auto newest = newest_first(); !newest.empty()) link("last", newest.front());
  const auto best = best_first();
  for (std::size_t i = 0; i < best.size() && static_cast<std::int64_t>(i) < options_.keep_best; ++i) {
    link(i == 0 ? "best" : fmt::format("best-{}", i + 1), best[i]);
  }
  // Fewer may be kept, or whole, than when the links were made: one that is left would soon lead nowhere.
  std::vector<fs::path> stale;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    const bool ours = entry.is_symlink() && (name == "last" || name == "best" || name.starts_with("best-"));
    if (ours && std::find(named.begin(), named.end(), name) == named.end()) stale.push_back(entry.path());
  }
  for (const fs::path& old : stale) fs::remove(old);
}

void Store::remove_old() const {
  const auto newest = newest_first();
  const auto best = best_first();
  const auto best_end = best.begin() + std::min<std::ptrdiff_t>(std::ssize(best), options_.keep_best);
  for (std::size_t i = static_cast<std::size_t>(options_.keep_last); i < newest.size(); ++i) {
    if (std::find(best.begin(), best_end, newest[i]) != best_end) continue;
    // Under a name that counts as half-written first, so that a kill in the middle of removing leaves no torso.
    const fs::path doomed = folder_ / ("." + newest[i].filename().string() + ".old");
    fs::rename(newest[i], doomed);
    fs::remove_all(doomed);
  }
}

std::optional<Snapshot> Store::load_newest(const std::function<void(const std::string&)>& damaged) {
  if (fs::is_directory(folder_)) {
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (!entry.is_symlink() && entry.path().filename().string().starts_with('.')) fs::remove_all(entry.path());
    }
  }
  std::optional<Snapshot> newest;
  bool some_damaged = false;
  for (const fs::path& folder : newest_first()) {
    try {
      newest = read_snapshot(folder);
      break;
    } catch (const Error& error) {
      damaged(error.what());
      set_aside(folder);
      some_damaged = true;
    }
  }
  if (some_damaged) move_links();
  return newest;
}

fs::path find_checkpoint(const fs::path& checkpoints, const std::string& which) {
  const auto there = [&](const std::string& name) { return fs::exists(checkpoints / name / "manifest.json"); };
  if (which.empty()) {
    for (const char* name : {"final", "last"}) {
      if (there(name)) return checkpoints / name;
    }
    throw UsageError(fmt::format("{}: holds no checkpoint yet", checkpoints.string()));
  }
  const bool number = std::all_of(which.begin(), which.end(), [](char c) { return c >= '0' && c <= '9'; });
  const std::string name = number && which.size() <= 18 ? folder_name(std::stoll(which)) : which;
  if (there(name)) return checkpoints / name;
  std::vector<std::string> names;
  if (fs::is_directory(checkpoints)) {
    for (const auto& entry : fs::directory_iterator(checkpoints)) {
      if (const auto file = entry.path().filename().string(); !file.starts_with('.')) names.push_back(file);
    }
  }
  std::sort(names.begin(), names.end());
  throw UsageError(fmt::format("{}: holds no checkpoint '{}'; there {} {}", checkpoints.string(), which,
                               names.size() == 1 ? "is" : "are",
                               names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

}  // namespace etude::checkpoint
