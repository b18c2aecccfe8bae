#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace etude::sweep {

/// A file of lines that many processes append to, locked as Optuna does it: whoever appends has made FILE.lock, a
/// symbolic link. One that stands for half a minute while nothing is written was left by somebody who died.
class JournalFile {
 public:
  explicit JournalFile(std::filesystem::path file) : file_(std::move(file)) {}

  const std::filesystem::path& path() const { return file_; }

  /// Calls `take` with each whole line that was added since the last time, and its number from 1.
  void read_on(const std::function<void(std::string_view line, std::int64_t number)>& take);
  /// Whether there is more to be read.
  bool has_grown() const;

  /// Calls `make` while nobody else appends, and appends what it returns, synced; all of it or, where that fails,
  /// nothing. A line that somebody died over is cut off first. Throws Error.
  void append(const std::function<std::string()>& make);

 private:
  std::filesystem::path file_;
  std::uint64_t offset_ = 0;  ///< where the first line not yet read begins
  std::int64_t lines_ = 0;
};

}  // namespace etude::sweep
