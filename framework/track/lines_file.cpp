#include "framework/track/lines_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "framework/log/json_lines.h"

namespace etude::track {
namespace {

constexpr int kGlance = 100;      // milliseconds
constexpr int kMostGlances = 50;  // that a full pipe is waited for

}  // namespace

void LinesFile::begin(const log::RunFacts& facts) {
  sender_.run = facts.name;
  last_step_ = facts.done;
  write(begin_message(sender_, facts, log::seconds_since_1970()));
}

void LinesFile::tell(const std::vector<Message>& messages) {
  for (const Message& message : messages) {
    write(figures_message(sender_, message));
    last_step_ = message.figures.step;
  }
}

void LinesFile::end(log::State state, double time) { write(end_message(sender_, state, last_step_, time)); }

void LinesFile::write(const nlohmann::json& message) {
  open();
  push(unfinished_);
  const std::string line =
      log::with_nonfinite_named(message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::string rest = line;
  try {
    push(rest);
  } catch (const Away&) {
    if (rest.size() == line.size() || !file_) throw;
    unfinished_ = std::move(rest);  // goes before the next line
  }
}

void LinesFile::open() {
  if (file_) return;
  const bool pipe = std::filesystem::is_fifo(path_);
  try {
    file_.emplace(path_, O_WRONLY | O_APPEND | O_NONBLOCK | (pipe ? 0 : O_CREAT), 0666);
  } catch (const Error&) {
    if (!pipe) throw;
    throw Away(fmt::format("nobody reads the pipe {}", path_.string()));
  }
}

void LinesFile::push(std::string& text) {
  for (int glances = 0; !text.empty();) {
    const ssize_t written = ::write(file_->get(), text.data(), text.size());
    if (written > 0) {
      text.erase(0, static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EPIPE) {
      unfinished_.clear();
      file_.reset();
      throw Away(fmt::format("nobody reads the pipe {} any more", path_.string()));
    } else if (written < 0 && errno == EAGAIN && glances++ < kMostGlances && !hurry_) {
      pollfd ready{file_->get(), POLLOUT, 0};
      ::poll(&ready, 1, kGlance);
    } else if (written >= 0 || errno != EINTR) {
      throw Away(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
    }
  }
}

}  // namespace etude::track
