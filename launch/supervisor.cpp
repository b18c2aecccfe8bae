#include "launch/supervisor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/posix.h"
#include "framework/log/format.h"
#include "framework/process/child.h"
#include "framework/run/run_folder.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "launch/judge.h"
#include "launch/status.h"

namespace etude::launch {
namespace {

namespace fs = std::filesystem;

constexpr int kFailure = 1, kMisuse = 2, kResumeMe = 75, kCalledOff = 76;
constexpr double kLook = 0.25;    ///< seconds between looks at the ranks
constexpr double kHeartbeat = 2;  ///< seconds between writings of status.json
constexpr double kBetweenSignals = 3;
constexpr double kLeastGrace = 10;  ///< seconds for ranks to end once they were asked

fs::path lock_file(const fs::path& folder) { return folder / ".supervisor"; }

/// Held for as long as the supervisor lives.
class SupervisorLock {
 public:
  explicit SupervisorLock(const fs::path& folder) : file_(lock_file(folder), O_RDWR | O_CREAT, 0644) {
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw UsageError(fmt::format("{}: another supervisor looks after this run already", folder.string()));
    }
    const std::string me = fmt::format("{} {}\n", ::getpid(), files::host_name());
    // Only for supervisor_of(), so a failure here is none.
    if (::ftruncate(file_.get(), 0) == 0) (void)!::pwrite(file_.get(), me.data(), me.size(), 0);
  }

 private:
  files::Descriptor file_;
};

/// Signals that tell something, noted as they come.
struct Signals {
  Signals() {
    sigemptyset(&set);
    for (const int signal : {SIGUSR1, SIGTERM, SIGINT, SIGCHLD}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGHUP, SIG_IGN);  // the terminal it was launched from may be closed
  }
  /// Waits so long at most, less when a signal comes.
  void wait(double seconds) {
    timespec time{};
    time.tv_sec = static_cast<std::time_t>(seconds);
    time.tv_nsec = static_cast<long>((seconds - static_cast<double>(time.tv_sec)) * 1e9);
    const int signal = ::sigtimedwait(&set, nullptr, &time);
    if (signal == SIGUSR1) time_limit_near = true;
    if (signal == SIGTERM || signal == SIGINT) told_to_end = true;
  }
  sigset_t set{};
  bool time_limit_near = false;
  bool told_to_end = false;
};

/// What an exit code of the ranks means when nobody had asked them to end.
Cause cause_of(int code) {
  if (code == 0) return Cause::kDone;
  if (code == kMisuse) return Cause::kMisuse;
  if (code == kResumeMe) return Cause::kInterrupted;
  if (code == kCalledOff) return Cause::kAsked;
  return code > 128 ? Cause::kKilled : Cause::kFailed;
}

class Supervisor {
 public:
  explicit Supervisor(const fs::path& order)
      : order_(order),
        job_(load_job(order)),
        cluster_(load_cluster(order / "cluster.yaml")),
        engine_(cluster_->engine_in_use()),
        run_(job_.run),
        folder_(run_.job()),
        lock_(made(folder_)) {}

  int run() {
    status_ = load_status(folder_).value_or(Status{});
    status_.host = files::host_name();
    status_.currency = cluster_->price.currency;
    close_lost_attempt();
    while (true) {
      const bool begins = attempts_here_ == 0;
      const Verdict verdict = judge(judged_attempts(), cluster_->max_restarts, begins);
      const auto budget = over_budget();
      const bool ends = verdict.next == Verdict::Next::kDone || verdict.next == Verdict::Next::kFail;
      if (budget && !ends) return finish({Verdict::Next::kStop, *budget, 0});
      if (verdict.next != Verdict::Next::kStart) return finish(verdict);
      if (!begins && is_better_elsewhere() && engine_.requeue()) {
        tell(State::kRequeued, verdict.why);
        return 0;
      }
      if (!verdict.why.empty()) say(fmt::format("starting again: {}", verdict.why));
      if (!wait_for_turn(verdict)) return end_before_start();
      attempt();
      ++attempts_here_;
    }
  }

 private:
  static const fs::path& made(const fs::path& folder) {
    fs::create_directories(folder);
    return folder;
  }

  void say(const std::string& line) {
    fmt::print(stderr, "[etude {}] {}\n", utc(now()), line);
    std::fflush(stderr);
  }

  void tell(State state, const std::string& words) {
    status_.state = state;
    status_.words = words;
    if (!words.empty()) say(fmt::format("{}: {}", in_words(state), words));
    write_status();
  }

  void write_status() {
    status_.updated = now();
    status_.progress = read_progress(run_.metrics());
    status_.usage = usage();
    try {
      save(status_, folder_);
    } catch (const Error& error) {  // a full disk is no reason to leave the ranks alone
      if (!std::exchange(status_is_lost_, true)) say(error.what());
    }
    if (!engine_.shares_files()) {
      fmt::print("etude-status {}\n", to_json(status_));
      std::fflush(stdout);
    }
  }

  /// Those of this job: when a user resumes a run, earlier ones are forgiven, though not their cost.
  std::vector<Attempt> judged_attempts() const {
    std::vector<Attempt> judged;
    std::copy_if(status_.attempts.begin(), status_.attempts.end(), std::back_inserter(judged),
                 [&](const Attempt& attempt) { return attempt.token == job_.token; });
    return judged;
  }

  /// What an earlier supervisor left open when it was killed. Its last sign of life is when it wrote its status.
  void close_lost_attempt() {
    if (status_.attempts.empty() || status_.attempts.back().cause != Cause::kOpen) return;
    Attempt& lost = status_.attempts.back();
    lost.cause = Cause::kLost;
    lost.ended = std::max(lost.began, status_.updated);
    lost.last_step = read_progress(run_.metrics()).step;
  }

  /// A run that fails keeps its nodes, for which it may have waited for days. It gives them back when their time is
  /// over, or when ranks did not even begin, twice: then one of them may be dead. Once may be what a killed start left
  /// on a node under the number of its job step, which the next start, having another number, does not meet.
  bool is_better_elsewhere() const {
    if (status_.attempts.back().cause == Cause::kTimeLimit) return true;
    return attempts_here_ >= 2 && std::none_of(status_.attempts.end() - 2, status_.attempts.end(),
                                               [](const Attempt& attempt) { return attempt.trained; });
  }

  bool asked_to_stop() const { return fs::exists(folder_ / job_.stop_name()); }
  bool wanted_to_end() const { return asked_to_stop() || signals_.told_to_end || signals_.time_limit_near; }

  Usage usage() const { return usage_of(status_.attempts, *cluster_, engine_.cores_on_each_node(*cluster_)); }

  std::optional<std::string> over_budget() const {
    const Usage used = usage();
    if (job_.limits.hours > 0 && used.hours >= job_.limits.hours) {
      return fmt::format("--max-hours {:g} are used up", job_.limits.hours);
    }
    if (job_.limits.cost > 0 && used.cost >= job_.limits.cost) {
      return fmt::format("--max-cost {:g} {} is spent", job_.limits.cost, cluster_->price.currency);
    }
    return std::nullopt;
  }

  /// Whether the ranks of a supervisor that was killed still hold the run.
  bool run_is_held() const {
    if (!fs::exists(run_.root() / ".lock")) return false;
    try {
      const run::RunLock lock(run_);
      return false;
    } catch (const UsageError&) {
      return true;
    }
  }

  /// False when the wait was ended by a wish that the job ends.
  bool wait_for_turn(const Verdict& verdict) {
    if (verdict.wait_seconds > 0) {
      tell(State::kWaiting, fmt::format("{} until it starts again", log::duration(verdict.wait_seconds)));
    }
    const double until = now() + verdict.wait_seconds;
    while (now() < until && !wanted_to_end()) signals_.wait(std::min(1.0, until - now()));
    bool told = false;
    while (run_is_held() && !wanted_to_end()) {
      if (!std::exchange(told, true))
        tell(State::kWaiting, "ranks of an earlier start still train; waiting for their end");
      signals_.wait(1);
      write_status();
    }
    if (wanted_to_end()) return false;
    engine_.take_turn(*cluster_, [&] {
      if (status_.state != State::kWaiting) tell(State::kWaiting, "for its turn");
      signals_.wait(0.5);
      return !wanted_to_end();
    });
    return !wanted_to_end();
  }

  int end_before_start() {
    if (asked_to_stop()) {
      tell(State::kStopped, fmt::format("as asked, before it started; 'etude jobs resume {}' starts it", job_.name));
      return 0;
    }
    tell(State::kRequeued, "ended by the cluster before it started");
    return kResumeMe;
  }

  void open_attempt() {
    Attempt attempt;
    attempt.began = attempt.ended = now();
    attempt.nodes = engine_.nodes(*cluster_);
    attempt.ranks = attempt.nodes * cluster_->ranks_on_each_node();
    attempt.token = job_.token;
    attempt.first_step = attempt.last_step = read_progress(run_.metrics()).step;
    status_.attempts.push_back(attempt);
    tell(State::kRunning, "");
  }

  void attempt() {
    open_attempt();
    std::vector<std::string> train{job_.program, "train", (order_ / "experiment.yaml").string(), "--resume"};
    if (!cluster_->stage.empty()) train.insert(train.end(), {"--stage", cluster_->stage.string()});
    const process::Command command = engine_.start_ranks(*cluster_, job_, train);
    say(fmt::format("attempt {}: {}", status_.attempts.size(), process::shell_line(command)));
    int code = 127;
    std::optional<Cause> asked;
    const std::string end_before = sign_of_the_end();
    try {
      process::Child ranks(command, {.environment = engine_.environment(*cluster_), .default_signals = true});
      code = watch(ranks, asked);
    } catch (const Error& error) {
      say(error.what());
    }
    Attempt& attempt = status_.attempts.back();
    attempt.ended = now();
    attempt.code = code;
    attempt.cause = asked && code != 0 && code != kMisuse ? *asked : cause_of(code);
    attempt.last_step = read_progress(run_.metrics()).step;
    attempt.trained = trained_since(attempt.began);
    // srun, for one, may end with 0 although it could not start a single rank.
    if (attempt.cause == Cause::kDone && !shows_after(end_before)) attempt.cause = Cause::kFailed;
    signals_.time_limit_near = false;  // an engine that cannot start it anew has no time limit either
    write_status();
    say(fmt::format("attempt {} ended at step {}: {} (exit code {})", status_.attempts.size(), attempt.last_step,
                    in_words(attempt.cause), code));
  }

  /// Another each time that training comes to its end, which is when it points to the final weights.
  std::string sign_of_the_end() const {
    struct stat link {};
    if (::lstat((run_.checkpoints() / "final").c_str(), &link) != 0) return "";
    return fmt::format("{} {}.{:09}", link.st_ino, link.st_mtim.tv_sec, link.st_mtim.tv_nsec);
  }

  /// Whether there is a new one; file servers may take a moment to show what another machine has written.
  bool shows_after(const std::string& before) {
    constexpr double kPatience = 10;
    for (const double until = now() + kPatience; now() < until; signals_.wait(0.5)) {
      if (sign_of_the_end() != before) return true;
    }
    return false;
  }

  bool trained_since(double began) const {
    std::error_code absent;
    const auto written = fs::last_write_time(run_.log(), absent);
    if (absent) return false;
    const auto since_epoch = std::chrono::file_clock::to_sys(written).time_since_epoch();
    return std::chrono::duration<double>(since_epoch).count() >= began - 1;  // clocks of file servers differ a little
  }

  /// Why the ranks should end now, if they should.
  std::optional<std::pair<Cause, std::string>> wish() {
    if (asked_to_stop()) return {{Cause::kAsked, "as asked"}};
    if (signals_.told_to_end) return {{Cause::kTerminated, "the cluster ends this job"}};
    if (signals_.time_limit_near) return {{Cause::kTimeLimit, "the time limit is near"}};
    if (const auto budget = over_budget()) return {{Cause::kBudget, *budget}};
    return std::nullopt;
  }

  /// Until the ranks end, of themselves or because `asked` of them, with a checkpoint. Returns their exit code.
  int watch(process::Child& ranks, std::optional<Cause>& asked) {
    double next_heartbeat = 0, asked_at = 0, next_signal = 0;
    while (true) {
      if (const auto code = ranks.ended()) return *code;
      signals_.wait(kLook);
      status_.attempts.back().ended = now();
      if (!asked) {
        if (const auto why = wish()) {
          asked = why->first;
          asked_at = now();
          tell(State::kStopping, why->second + "; writing a checkpoint");
        }
      }
      if (asked && now() >= next_signal) {
        ranks.signal(signal_after(now() - asked_at));
        next_signal = now() + kBetweenSignals;
      }
      if (now() >= next_heartbeat) {
        write_status();
        next_heartbeat = now() + kHeartbeat;
      }
    }
  }

  /// Ranks are asked again and again, since one that is just being started hears nothing; those that do not end in time
  /// are told, and then killed.
  int signal_after(double seconds) {
    const double grace = std::max(kLeastGrace, cluster_->warning);
    if (seconds < grace) return SIGUSR1;
    const int signal = seconds < grace + kLeastGrace ? SIGTERM : SIGKILL;
    say(fmt::format("the ranks do not end; sending {}", signal == SIGTERM ? "SIGTERM" : "SIGKILL"));
    return signal;
  }

  int finish(const Verdict& verdict) {
    switch (verdict.next) {
      case Verdict::Next::kDone:
        tell(State::kDone, fmt::format("{} used", cost_in_words(status_)));
        return 0;
      case Verdict::Next::kStop:
        tell(State::kStopped, fmt::format("{} at step {}; 'etude jobs resume {}' goes on", verdict.why,
                                          read_progress(run_.metrics()).step, job_.name));
        return signals_.told_to_end ? kResumeMe : 0;
      default:
        tell(State::kFailed, verdict.why);
        return kFailure;
    }
  }

  const fs::path order_;
  const Job job_;
  const std::unique_ptr<Cluster> cluster_;
  Engine& engine_;
  const run::RunFolder run_;
  const fs::path folder_;
  const SupervisorLock lock_;
  Signals signals_;
  Status status_;
  int attempts_here_ = 0;        ///< of this supervisor, earlier ones not counted
  bool status_is_lost_ = false;  ///< it could not be written, and that was said
};

}  // namespace

int supervise(const fs::path& order) { return Supervisor(order).run(); }

std::optional<SupervisorPlace> supervisor_of(const fs::path& folder) {
  const int file = ::open(lock_file(folder).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  const bool held = ::flock(file, LOCK_EX | LOCK_NB) != 0;
  ::close(file);
  if (!held) return std::nullopt;
  SupervisorPlace place;
  std::istringstream(files::read(lock_file(folder))) >> place.process >> place.host;
  return place;
}

}  // namespace etude::launch
