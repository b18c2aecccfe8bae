#pragma once

#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>

#include "framework/log/console.h"

namespace etude::log {

enum class Level { kDebug, kInfo, kWarning, kError };

/// What a run has to say, to a file (log.txt: every message, with time and level, appended to) and to a person (from
/// `console_level` on, plain). Safe to use from several threads.
class LogFile {
 public:
  /// An empty `file` writes none and a null `console` shows nothing: a rank other than 0 is given neither. Throws Error
  /// naming the file when it cannot be opened.
  LogFile(const std::filesystem::path& file, std::FILE* console, Level console_level = Level::kInfo);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  void write(Level level, const std::string& message);
  void debug(const std::string& message) { write(Level::kDebug, message); }
  void info(const std::string& message) { write(Level::kInfo, message); }
  void warning(const std::string& message) { write(Level::kWarning, message); }
  void error(const std::string& message) { write(Level::kError, message); }

  /// While a progress bar is shown, messages go above it; null ends that. The bar must outlive its showing.
  void show_above(Progress* progress);

 private:
  std::mutex mutex_;
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::FILE* console_;
  Level console_level_;
  Progress* progress_ = nullptr;
};

}  // namespace etude::log
