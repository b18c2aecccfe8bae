#include "framework/log/terminal.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace etude::log {
namespace {

constexpr std::array<std::string_view, 4> kLaunchers{"orterun", "prterun", "mpirun", "mpiexec"};

bool is_pipe(int descriptor) { return lseek(descriptor, 0, SEEK_CUR) < 0 && isatty(descriptor) == 0; }

/// A descriptor for the terminal that the launcher's stderr is, or -1.
int open_terminal_of_launcher() {
  const std::filesystem::path parent = fmt::format("/proc/{}", getppid());
  std::error_code none;
  const std::string name = std::filesystem::read_symlink(parent / "exe", none).filename().string();
  if (std::ranges::find(kLaunchers, name) == kLaunchers.end()) return -1;
  // Only asked for its width; what is to be shown goes through the pipe, in order with all else.
  const int descriptor = open((parent / "fd/2").c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor >= 0 && isatty(descriptor) == 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

}  // namespace

Terminal::Terminal(std::FILE* out) {
  if (out == nullptr) return;
  if (isatty(fileno(out)) == 1) {
    descriptor_ = fileno(out);
  } else if (out == stderr && is_pipe(fileno(out))) {
    descriptor_ = open_terminal_of_launcher();
    opened_ = descriptor_ >= 0;
  }
}

Terminal::~Terminal() {
  if (opened_) close(descriptor_);
}

int Terminal::columns() const {
  winsize size{};
  return ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int Terminal::rows() const {
  winsize size{};
  return ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

bool locale_has_unicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale(value);
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

}  // namespace etude::log
