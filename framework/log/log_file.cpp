#include "framework/log/log_file.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::log {
namespace {

std::string_view name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "";
}

/// "2024-05-01 12:34:56.789 +0200": local, since a person compares it with the clock on the wall.
std::string now() {
  using namespace std::chrono;
  const auto time = system_clock::now();
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  const std::tm local = fmt::localtime(system_clock::to_time_t(time));
  char zone[8] = "";
  std::strftime(zone, sizeof zone, "%z", &local);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03} {}", local, milliseconds, zone);
}

/// Further lines of a message are indented: each line that starts with a date is a message.
std::string indented(std::string_view message) {
  std::string text;
  for (const char c : message) {
    text += c;
    if (c == '\n') text += "    ";
  }
  return text;
}

}  // namespace

LogFile::LogFile(const std::filesystem::path& file, std::FILE* console, Level console_level)
    : file_(file), console_(console), console_level_(console_level) {
  if (file.empty()) return;
  descriptor_ = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    throw Error(fmt::format("{}: cannot be opened for writing: {}", file.string(), std::strerror(errno)));
}

LogFile::~LogFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void LogFile::write(Level level, const std::string& message) {
  const std::lock_guard lock(mutex_);
  if (descriptor_ >= 0) {
    const std::string line = fmt::format("{}  {:7}  {}\n", now(), name(level), indented(message));
    if (::write(descriptor_, line.data(), line.size()) < 0 && console_ != nullptr) {
      // A full disk is no reason to lose the run: its checkpoints will say so where it matters.
      std::fputs(fmt::format("{}: {}\n", file_.string(), std::strerror(errno)).c_str(), console_);
    }
  }
  if (console_ == nullptr || level < console_level_) return;
  const std::string shown = level >= Level::kWarning ? fmt::format("{}: {}", name(level), message) : message;
  if (progress_ != nullptr) return progress_->message(shown);
  std::fputs((shown + "\n").c_str(), console_);
  std::fflush(console_);
}

void LogFile::show_above(Progress* progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
}

}  // namespace etude::log
