#include "sweep/harvest.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

namespace etude::sweep {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "eval_";

/// metrics.jsonl names numbers that JSON cannot write in a member of their own.
double unwritable(const Json& row, const std::string& key) {
  const std::string which = row.value("nonfinite", Json::object()).value(key, "nan");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return which == "inf" ? kInfinity : which == "-inf" ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
}

std::optional<Measurement> evaluation_in(const std::string& line) {
  const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!row.is_object() || !row.contains("step")) return std::nullopt;
  Measurement found{.step = row["step"].get<std::int64_t>(), .metrics = {}};
  for (const auto& [key, value] : row.items()) {
    if (!key.starts_with(kPrefix)) continue;
    if (value.is_number()) found.metrics[key] = value.get<double>();
    if (value.is_null()) found.metrics[key] = unwritable(row, key);
  }
  return found.metrics.empty() ? std::nullopt : std::optional(found);
}

}  // namespace

std::vector<Measurement> evaluations_in(const fs::path& metrics) {
  std::vector<Measurement> all;
  std::ifstream file(metrics);
  for (std::string line; std::getline(file, line) && !file.eof();) {
    if (line.find(kPrefix) == std::string::npos) continue;
    if (auto found = evaluation_in(line)) all.push_back(std::move(*found));
  }
  return all;
}

std::optional<Measurement> final_evaluation(const run::RunFolder& run) {
  std::error_code absent;
  const std::string chosen = fs::read_symlink(run.checkpoints() / "final", absent).filename().string();
  constexpr std::string_view kStep = "step-";
  if (absent || !chosen.starts_with(kStep)) return std::nullopt;
  const std::int64_t step = std::stoll(chosen.substr(kStep.size()));
  const auto all = evaluations_in(run.metrics());
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Measurement& one) { return one.step == step; });
  return found == all.rend() ? std::nullopt : std::optional(*found);
}

}  // namespace etude::sweep
