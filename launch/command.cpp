#include "launch/command.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::launch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNotFound = 127, kOutOfTime = 124;

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
bool converse(Pipe& in, Pipe& out, Pipe& err, const std::string& input, Outcome& outcome, Clock::time_point deadline) {
  std::size_t written = 0;
  if (input.empty()) in.close_end(1);
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);  // a program that writes before it has read all must not wait for us
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    std::array<pollfd, 3> wanted{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0},
                                 pollfd{in.ends[1], POLLOUT, 0}};
    if (::poll(wanted.data(), wanted.size(), milliseconds_until(deadline)) == 0) return false;
    const auto drain = [](Pipe& pipe, const pollfd& ready, std::string& text) {
      if (pipe.ends[0] < 0 || ready.revents == 0) return;
      std::array<char, 65536> buffer;
      const ssize_t count = ::read(pipe.ends[0], buffer.data(), buffer.size());
      if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
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

bool wait_until(pid_t child, int& status, Clock::time_point deadline) {
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::string Outcome::complaint() const {
  for (const std::string* text : {&errors, &output}) {
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) return line;
    }
  }
  return fmt::format("it ended with code {} and said nothing", code);
}

Outcome run(const Command& command, double seconds, const std::string& input) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int problem = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return {kNotFound, "", fmt::format("{}: {}", command.at(0), std::strerror(problem))};
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);

  const WithoutPipeSignal quiet;
  Outcome outcome;
  int status = 0;
  if (converse(in, out, err, input, outcome, deadline) && wait_until(child, status, deadline)) {
    outcome.code = exit_code_of(status);
    return outcome;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  outcome.code = kOutOfTime;
  outcome.errors += fmt::format("{} did not answer within {:g} s\n", command.at(0), seconds);
  return outcome;
}

std::optional<std::string> find_program(const std::string& name) {
  const auto runs = [](const std::filesystem::path& file) {
    return ::access(file.c_str(), X_OK) == 0 && !std::filesystem::is_directory(file);
  };
  if (name.find('/') != std::string::npos) return runs(name) ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path file = std::filesystem::path(folder.empty() ? "." : folder) / name;
    if (runs(file)) return file.string();
  }
  return std::nullopt;
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string shell_line(const Command& command) {
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

}  // namespace etude::launch
