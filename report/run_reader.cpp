#include "report/run_reader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/nesting.h"
#include "framework/run/run_folder.h"
#include "report/flat_yaml.h"
#include "report/metrics_reader.h"

namespace etude::report {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// Null where there is none, or, with a mark, where it cannot be read.
Json document(const fs::path& file, Run& run) {
  if (!is_file(file)) return nullptr;
  try {
    const std::string text = files::read(file);
    if (!files::nests_deeper(text)) {
      Json read = Json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (read.is_object()) return read;
    }
    run.marks.push_back(fmt::format("{} is damaged and was left out", file.filename().string()));
  } catch (const Error& error) {
    run.marks.push_back(error.what());
  }
  return nullptr;
}

void read_config(const run::RunFolder& folder, Run& run) {
  if (!is_file(folder.config())) {
    run.marks.push_back("config.yaml is missing, so nobody knows how it was configured");
    return;
  }
  try {
    run.config = flat_yaml(files::read(folder.config()), "config.yaml");
  } catch (const Error& error) {
    run.marks.push_back(fmt::format("config.yaml was left out: {}", error.what()));
  }
}

void read_metrics(const run::RunFolder& folder, Run& run, std::size_t most) {
  run.history.final_train_loss = std::nan("");
  if (!is_file(folder.metrics())) {
    run.marks.push_back("metrics.jsonl is missing, so it has no curves");
    return;
  }
  try {
    run.history = read_history(files::read(folder.metrics()), most);
  } catch (const Error& error) {
    run.marks.push_back(error.what());
  }
  if (run.history.broken > 0) {
    run.marks.push_back(fmt::format("{} line{} of metrics.jsonl {} damaged or cut off, and left out",
                                    run.history.broken, run.history.broken == 1 ? "" : "s",
                                    run.history.broken == 1 ? "is" : "are"));
  }
  if (run.history.non_finite > 0) {
    run.marks.push_back(fmt::format("{} logged steps had a loss that is no number", run.history.non_finite));
  }
}

/// The header of a safetensors file: its length as eight bytes, then JSON with the shape of each tensor.
std::optional<double> weights_in(const fs::path& file) {
  constexpr std::uint64_t kMostHeader = 16 << 20;
  std::ifstream stream(file, std::ios::binary);
  unsigned char bytes[8];
  if (!stream.read(reinterpret_cast<char*>(bytes), sizeof bytes)) return std::nullopt;
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | bytes[i];
  if (length > kMostHeader) return std::nullopt;
  std::string header(static_cast<std::size_t>(length), '\0');
  if (!stream.read(header.data(), static_cast<std::streamsize>(length))) return std::nullopt;
  const Json tensors = Json::parse(header, nullptr, false);
  if (!tensors.is_object()) return std::nullopt;
  double weights = 0;
  for (const auto& [name, tensor] : tensors.items()) {
    if (!tensor.is_object() || !tensor.contains("shape") || !tensor["shape"].is_array()) continue;
    double size = 1;
    for (const Json& extent : tensor["shape"]) size *= extent.is_number() ? extent.get<double>() : 0;
    weights += size;
  }
  return weights;
}

/// Runs from before environment.json told of it have it in their checkpoints.
std::optional<double> parameters_of(const run::RunFolder& folder, const Json& environment) {
  if (const auto told = Run::number(environment, {"parameters"})) return told;
  for (const char* link : {"final", "last", "best"}) {
    if (const auto weights = weights_in(folder.checkpoints() / link / "model.safetensors")) return weights;
  }
  return std::nullopt;
}

bool is_finished(const run::RunFolder& folder, const Run& run) {
  std::error_code ignored;
  if (fs::is_symlink(folder.checkpoints() / "final", ignored)) return true;
  return run.history.steps > 0 && run.history.step >= run.history.steps && run.evaluation.is_object();
}

void mark_unfinished(Run& run) {
  const std::string progress = run.history.steps > 0
                                   ? fmt::format("unfinished: step {} of {}", run.history.step, run.history.steps)
                                   : fmt::format("unfinished: step {}", run.history.step);
  const std::string words = Run::text(run.job, "words");
  run.marks.push_back(words.empty() ? progress : fmt::format("{} ({})", progress, words));
}

std::string unique_key(const fs::path& folder) {
  std::error_code failed;
  const fs::path whole = fs::canonical(folder, failed);
  return failed ? folder.lexically_normal().string() : whole.string();
}

std::vector<fs::path> runs_below(const fs::path& folder) {
  std::vector<fs::path> below;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (is_run_folder(entry.path())) below.push_back(entry.path());
  }
  std::ranges::sort(below);
  return below;
}

/// The last `parts` parts of a path: "trial-0001", "archs/trial-0001".
std::string ending(const fs::path& folder, std::size_t parts) {
  std::vector<std::string> all;
  std::error_code failed;
  const fs::path whole = fs::absolute(folder, failed).lexically_normal();
  for (const fs::path& part : whole) {
    if (!part.empty() && part != "/") all.push_back(part.string());
  }
  const std::size_t from = all.size() > parts ? all.size() - parts : 0;
  return fmt::format("{}", fmt::join(all.begin() + static_cast<std::ptrdiff_t>(from), all.end(), "/"));
}

void name_apart(std::vector<Run>& runs) {
  constexpr std::size_t kMostParts = 16;
  for (Run& run : runs) run.name = ending(run.folder, 1);
  for (std::size_t parts = 2; parts <= kMostParts; ++parts) {
    std::map<std::string, int> counts;
    for (const Run& run : runs) ++counts[run.name];
    bool apart = true;
    for (Run& run : runs) {
      if (counts[run.name] == 1) continue;
      apart = false;
      run.name = ending(run.folder, parts);
    }
    if (apart) return;
  }
}

}  // namespace

bool is_run_folder(const fs::path& folder) {
  const run::RunFolder run(folder);
  return is_file(run.config()) || is_file(run.metrics()) || is_file(run.evaluation());
}

Found find_runs(const std::vector<fs::path>& paths) {
  Found found;
  std::set<std::string> seen;
  const auto take = [&](const fs::path& given) {
    const fs::path folder = given.has_filename() ? given : given.parent_path();
    if (seen.insert(unique_key(folder)).second) found.folders.push_back(folder);
  };
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (is_run_folder(path)) {
      take(path);
    } else if (!fs::exists(path, ignored)) {
      throw UsageError(fmt::format("{}: there is no such run folder", path.string()));
    } else if (const auto below = runs_below(path); !below.empty()) {
      for (const fs::path& folder : below) take(folder);
    } else {
      found.passed_over.push_back(fmt::format(
          "{}: is no run folder (none of config.yaml, metrics.jsonl and evaluation.json is in it) and holds "
          "none",
          path.string()));
    }
  }
  if (!found.folders.empty()) return found;
  throw UsageError(found.passed_over.empty() ? "no run folder was given"
                                             : fmt::format("{}", fmt::join(found.passed_over, "\n  ")));
}

Run read_run(const fs::path& path, std::size_t most) {
  const run::RunFolder folder(path);
  Run run;
  run.folder = path;
  run.name = ending(path, 1);
  read_config(folder, run);
  run.environment = document(folder.environment(), run);
  run.tokenizer = document(folder.tokenizer(), run);
  run.evaluation = document(folder.evaluation(), run);
  run.floor = document(path / "floor.json", run);
  run.music = document(path / "music.json", run);
  run.job = document(folder.job() / "status.json", run);
  read_metrics(folder, run, most);
  run.parameters = parameters_of(folder, run.environment);
  run.flops_per_token = Run::number(run.environment, {"flops_per_token"});
  run.finished = is_finished(folder, run);
  if (!run.finished) mark_unfinished(run);
  return run;
}

std::vector<Run> read_runs(const std::vector<fs::path>& folders, std::size_t most) {
  std::vector<Run> runs(folders.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < folders.size(); i = next++) {
      try {
        runs[i] = read_run(folders[i], most);
      } catch (const std::exception& error) {
        runs[i] = Run{};
        runs[i].folder = folders[i];
        runs[i].marks.push_back(fmt::format("could not be read: {}", error.what()));
      }
    }
  };
  {
    std::vector<std::jthread> others;
    const std::size_t threads =
        std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), folders.size());
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
    work();
  }
  name_apart(runs);
  return runs;
}

}  // namespace etude::report
