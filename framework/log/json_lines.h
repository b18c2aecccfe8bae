#pragma once

#include <cstdint>
#include <filesystem>

#include <nlohmann/json_fwd.hpp>

namespace etude::log {

/// A JSON object ready to be written: of numbers that are not finite, which JSON cannot write and nlohmann::json writes
/// as null, it says in an extra member which they were: {"loss": NaN, "nonfinite": {"loss": "nan"}}.
nlohmann::json with_nonfinite_named(nlohmann::json object);

/// A file of one JSON object a line (metrics.jsonl), appended to. Each line is one write(2), at once: whoever reads
/// along sees whole lines, and a run that is killed has lost none but the one it was writing (Linux lets SIGKILL cut a
/// write short where a page ends). The format: docs/formats.md.
class JsonLines {
 public:
  /// Opens for appending, making the file where there is none. Half a line at the end (kill -9, full disk,
  /// power cut) is removed first. Throws Error naming the file.
  explicit JsonLines(const std::filesystem::path& file);
  ~JsonLines();
  JsonLines(JsonLines&& other) noexcept;
  JsonLines& operator=(JsonLines&& other) noexcept;

  /// Appends an object. Numbers read back to the same bits; those that are not finite, which JSON cannot write, become
  /// null and are named in an extra member: {"loss": null, "nonfinite": {"loss": "nan"}}. Throws Error naming the file.
  void write(const nlohmann::json& object);

  /// For a run that resumes at `step`: cuts the file before the first line whose "step" is later, and mends a
  /// half-written last line. A file that is not there stays so. Throws Error naming file and line when a line before
  /// that is not JSON.
  static void truncate_after(const std::filesystem::path& file, std::int64_t step);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace etude::log
