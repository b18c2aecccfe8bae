#include "framework/checkpoint/snapshot.h"

#include <array>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kManifest = "manifest.json";
constexpr const char* kModel = "model.safetensors";
constexpr const char* kModelConfig = "config.json";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kLanes = "lanes.safetensors";
constexpr const char* kState = "state.json";

constexpr const char* kWayOut =
    "the checkpoint is damaged; 'etude train --resume' goes back to the newest one that is whole";

json read_json(const fs::path& file) {
  try {
    return json::parse(files::read(file));
  } catch (const json::exception& error) {
    throw Error(fmt::format("{}: {} ({})", file.string(), error.what(), kWayOut));
  }
}

/// The manifest, with its shape checked, so that readers may rely on it.
json read_checked_manifest(const fs::path& folder) {
  const fs::path file = folder / kManifest;
  if (!fs::exists(file)) throw Error(fmt::format("{}: is no checkpoint (it has no {})", folder.string(), kManifest));
  json manifest = read_json(file);
  const auto bad = [&](const std::string& what) {
    return Error(fmt::format("{}: {} ({})", file.string(), what, kWayOut));
  };
  if (!manifest.is_object() || !manifest.contains("format") || !manifest["format"].is_number_integer()) {
    throw bad("says no format");
  }
  if (manifest["format"].get<int>() > kFormat) {
    throw Error(fmt::format("{}: is of format {}, this program reads up to {}; use a newer etude", file.string(),
                            manifest["format"].get<int>(), kFormat));
  }
  if (!manifest.contains("step") || !manifest["step"].is_number_integer()) throw bad("says no step");
  if (!manifest.contains("files") || !manifest["files"].is_object()) throw bad("lists no files");
  for (const auto& [name, entry] : manifest["files"].items()) {
    const bool sound = entry.is_object() && entry.contains("bytes") && entry["bytes"].is_number_unsigned() &&
                       entry.contains("hash") && entry["hash"].is_string() && name.find('/') == std::string::npos;
    if (!sound) throw bad(fmt::format("has a malformed entry for '{}'", name));
  }
  if (manifest.contains("metric") && !manifest["metric"].is_number() && !manifest["metric"].is_null()) {
    throw bad("has a metric that is no number");
  }
  return manifest;
}

void verify_file(const fs::path& folder, const json& manifest, const std::string& name) {
  const fs::path file = folder / name;
  if (!manifest["files"].contains(name)) {
    throw Error(fmt::format("{}: is not listed in {} ({})", file.string(), kManifest, kWayOut));
  }
  const json& entry = manifest["files"][name];
  if (!fs::exists(file)) throw Error(fmt::format("{}: is missing ({})", file.string(), kWayOut));
  if (!fs::is_regular_file(file)) throw Error(fmt::format("{}: is no file ({})", file.string(), kWayOut));
  const auto size = fs::file_size(file);
  const auto expected = entry["bytes"].get<std::uintmax_t>();
  if (size != expected) {
    throw Error(fmt::format("{}: has {} bytes but {} says {} ({})", file.string(), size, kManifest, expected, kWayOut));
  }
  if (files::hash_file(file) != entry["hash"].get<std::string>()) {
    throw Error(fmt::format("{}: its content is not what was written: the hash differs ({})", file.string(), kWayOut));
  }
}

void write_text(const fs::path& file, const json& content) { files::write_atomically(file, content.dump(2) + "\n"); }

}  // namespace

void write_snapshot(const fs::path& folder, const Snapshot& snapshot) {
  std::vector<std::string> names{kModel, kOptimizer, kState};
  models::write_safetensors(folder / kModel, snapshot.model, {{"format", "pt"}});
  models::write_safetensors(folder / kOptimizer, snapshot.optimizer);
  write_text(folder / kState, snapshot.state);
  if (!snapshot.lanes.empty()) {
    models::write_safetensors(folder / kLanes, snapshot.lanes);
    names.emplace_back(kLanes);
  }
  if (!snapshot.model_config.is_null()) {
    write_text(folder / kModelConfig, snapshot.model_config);
    names.emplace_back(kModelConfig);
  }
  json manifest{{"format", kFormat}, {"step", snapshot.step}, {"metric", nullptr}, {"files", json::object()}};
  if (snapshot.metric) manifest["metric"] = *snapshot.metric;
  for (const std::string& name : names) {
    manifest["files"][name] = {{"bytes", fs::file_size(folder / name)}, {"hash", files::hash_file(folder / name)}};
  }
  write_text(folder / kManifest, manifest);
}

Manifest read_manifest(const fs::path& folder) {
  const json manifest = read_checked_manifest(folder);
  Manifest found;
  found.step = manifest["step"].get<std::int64_t>();
  if (manifest.contains("metric") && manifest["metric"].is_number()) found.metric = manifest["metric"].get<double>();
  return found;
}

void verify(const fs::path& folder) {
  const json manifest = read_checked_manifest(folder);
  for (const char* name : {kModel, kOptimizer, kState}) verify_file(folder, manifest, name);
  for (const auto& [name, entry] : manifest["files"].items()) verify_file(folder, manifest, name);
}

Snapshot read_snapshot(const fs::path& folder) {
  verify(folder);
  const Manifest manifest = read_manifest(folder);
  Snapshot snapshot;
  snapshot.step = manifest.step;
  snapshot.metric = manifest.metric;
  snapshot.model = models::read_safetensors(folder / kModel);
  snapshot.optimizer = models::read_safetensors(folder / kOptimizer);
  if (fs::exists(folder / kLanes)) snapshot.lanes = models::read_safetensors(folder / kLanes);
  snapshot.state = read_json(folder / kState);
  if (fs::exists(folder / kModelConfig)) snapshot.model_config = read_json(folder / kModelConfig);
  return snapshot;
}

models::NamedTensors read_weights(const fs::path& folder) {
  verify_file(folder, read_checked_manifest(folder), kModel);
  return models::read_safetensors(folder / kModel);
}

}  // namespace etude::checkpoint
