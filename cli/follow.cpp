#include "cli/follow.h"

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "launch/launcher.h"

namespace etude::cli {
namespace {

constexpr auto kLook = std::chrono::milliseconds(500);

volatile std::sig_atomic_t interruptions = 0;

/// Counts Ctrl-C instead of ending.
class CountInterruptions {
 public:
  CountInterruptions() : before_(std::signal(SIGINT, [](int) { interruptions = interruptions + 1; })) {}
  ~CountInterruptions() { std::signal(SIGINT, before_); }
  CountInterruptions(const CountInterruptions&) = delete;
  CountInterruptions& operator=(const CountInterruptions&) = delete;

 private:
  void (*before_)(int);
};

/// Nothing while the engine does not answer: it may in a moment.
std::string logs_of(launch::Engine& engine, const launch::Job& job) {
  try {
    return engine.logs(job);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

int follow(const launch::Job& job, bool owns) {
  const CountInterruptions counting;
  interruptions = 0;
  const auto cluster = launch::cluster_of(job);
  std::size_t printed = 0;
  std::string engine_said;
  bool asked = false;
  while (true) {
    // Looked at before the logs are read, so that nothing printed before the end is missed.
    const launch::Overview overview = launch::look(job);
    const std::string words = in_words(overview);
    const std::string logs = logs_of(cluster->engine_in_use(), job);
    if (logs.size() > printed) fmt::print("{}", std::string_view(logs).substr(printed));
    printed = std::max(printed, logs.size());
    std::fflush(stdout);
    if (logs.empty() && words != engine_said && !words.empty()) {
      engine_said = words;
      fmt::print("{} is {}: {}\n", job.name, in_words(overview.state), words);
    }
    if (is_over(overview.state) || overview.state == launch::State::kEnded) {
      fmt::print("{}: {}{}{}\n", job.name, in_words(overview.state), words.empty() ? "" : ", ", words);
      return overview.state == launch::State::kDone || overview.state == launch::State::kStopped ? 0 : 1;
    }
    if (interruptions > 0 && !owns) {
      fmt::print("\n{0} goes on; 'etude jobs follow {0}' shows it again, 'etude jobs stop {0}' ends it\n", job.name);
      return 0;
    }
    if (interruptions > 0 && !asked) {
      asked = true;
      fmt::print("\n{}\n", launch::stop(job, false));
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace etude::cli
