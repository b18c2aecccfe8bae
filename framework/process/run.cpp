#include "framework/process/run.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/process/child.h"

namespace etude::process {
namespace {

using Clock = std::chrono::steady_clock;

/// Both ends of a pipe, closed with it and not handed down.
struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(fmt::format("no pipe can be made: {}", std::strerror(errno)));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(std::exchange(ends[end], -1));
  }
  std::array<int, 2> ends{-1, -1};
};

/// Keeps a program that does not read its input from ending us.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~WithoutPipeSignal() { std::signal(SIGPIPE, before_); }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  void (*before_)(int);
};

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(0, left));
}

/// Feeds and drains a program until it closes its outputs; false when time is up before.
bool converse(Pipe& in, Pipe& out, Pipe& err, const RunOptions& options, Outcome& outcome, Clock::time_point deadline) {
  const std::string& input = options.input;
  std::size_t written = 0;
  if (input.empty()) in.close_end(1);
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);  // a program that writes before it has read all must not wait for us
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 3> wanted{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0},
                                 pollfd{in.ends[1], POLLOUT, 0}};
    if (::poll(wanted.data(), wanted.size(), milliseconds_until(deadline)) == 0) return false;
    const auto drain = [&](Pipe& pipe, const pollfd& ready, std::string& text) {
      if (pipe.ends[0] < 0 || ready.revents == 0) return;
      std::array<char, 65536> buffer;
      const ssize_t count = ::read(pipe.ends[0], buffer.data(), buffer.size());
      if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
      if (text.size() > 2 * options.most) text.erase(0, text.size() - options.most);
      if (count == 0 || (count < 0 && errno != EINTR)) pipe.close_end(0);
    };
    drain(out, wanted[0], outcome.output);
    drain(err, wanted[1], outcome.errors);
    if (in.ends[1] >= 0 && wanted[2].revents != 0) {
      const ssize_t count = ::write(in.ends[1], input.data() + written, input.size() - written);
      if (count > 0) written += static_cast<std::size_t>(count);
      if (written == input.size() || (count < 0 && errno != EINTR && errno != EAGAIN)) in.close_end(1);
    }
  }
  return true;
}

bool ends_before(Clock::time_point deadline, Child& child) {
  while (!child.ended()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

std::string Outcome::complaint() const {
  for (const std::string* text : {&errors, &output}) {
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) return line;
    }
  }
  return fmt::format("it ended with code {} and said nothing", code);
}

Outcome run(const Command& command, const RunOptions& options) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  Pipe in, out, err;
  Start start;
  start.folder = options.folder;
  start.streams = {in.ends[0], out.ends[1], err.ends[1]};
  if (options.with_descendants) start.leads = Start::Leads::kGroup;
  Outcome outcome;
  std::optional<Child> child;
  try {
    child.emplace(command, start);
  } catch (const Error& error) {
    return {Outcome::kNotFound, "", error.what()};
  }
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);

  const WithoutPipeSignal quiet;
  if (converse(in, out, err, options, outcome, deadline) && ends_before(deadline, *child)) {
    outcome.code = child->wait();
    return outcome;
  }
  options.with_descendants ? child->signal_group(SIGKILL) : child->signal(SIGKILL);
  child->wait();
  outcome.code = Outcome::kOutOfTime;
  outcome.errors += fmt::format("{} did not answer within {:g} s\n", command.at(0), options.seconds);
  return outcome;
}

}  // namespace etude::process
