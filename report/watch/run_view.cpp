#include "report/watch/run_view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/log/format.h"
#include "launch/status.h"
#include "report/flat_yaml.h"

namespace etude::report::watch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLogLines = 8;
constexpr double kSurveyEvery = 60;      ///< seconds between two looks at the runs beside this one
constexpr double kSupervisorQuiet = 30;  ///< a supervisor that writes every two seconds is gone after this
constexpr double kLeastPatience = 60;    ///< seconds without a line before it is worth a word
constexpr double kPatience = 20;         ///< the same, in usual distances of two lines

fs::file_time_type change_of(const fs::path& file) {
  std::error_code failed;
  const auto changed = fs::last_write_time(file, failed);
  return failed ? fs::file_time_type() : changed;
}

std::optional<launch::Status> status_of_job(const fs::path& folder) {
  try {
    return launch::load_status(folder);
  } catch (const Error&) {
    return std::nullopt;  // damaged, and not this program's to mend
  }
}

/// The step of the newest checkpoint, or -1.
std::int64_t newest_checkpoint(const run::RunFolder& folder) {
  std::error_code failed;
  const std::string name = fs::read_symlink(folder.checkpoints() / "last", failed).filename().string();
  long long step = -1;
  if (failed || std::sscanf(name.c_str(), "step-%lld", &step) != 1) return -1;
  return step;
}

}  // namespace

std::string in_words(State state) {
  switch (state) {
    case State::kWaiting:
      return "waiting";
    case State::kStarting:
      return "starting";
    case State::kTraining:
      return "training";
    case State::kEvaluating:
      return "evaluating";
    case State::kFinished:
      return "finished";
    case State::kStopped:
      return "stopped";
    case State::kDead:
      return "dead";
    case State::kGone:
      return "removed";
  }
  return "";
}

bool is_over(State state) {
  return state == State::kFinished || state == State::kStopped || state == State::kDead || state == State::kGone;
}

RunView::RunView(fs::path folder)
    : folder_(std::move(folder)), name_(folder_.root().filename().string()), metrics_(folder_.metrics()) {}

void RunView::poll(double now, Neighbourhood& neighbourhood) {
  const News news = metrics_.poll();
  course_.take_back(news.dropped);
  for (const std::string& line : news.lines) course_.add(line);

  if (const auto changed = change_of(folder_.log()); changed != log_changed_) {
    log_changed_ = changed;
    log_ = last_lines(folder_.log(), kLogLines);
  }
  read_config();

  const std::size_t evaluations = course_.history().evaluation.size();
  const bool survey = evaluations != surveyed_evaluations_ || now - surveyed_ >= kSurveyEvery;
  if (survey) {
    surroundings_ = neighbourhood.of(folder_.root());
    surveyed_ = now;
    surveyed_evaluations_ = evaluations;
  }
  // Between evaluations only the training loss moves, on which nothing depends while there are any.
  const bool more = course_.lines() != judged_lines_ && (evaluations == 0 || news.dropped > 0);
  if (survey || more) {
    standing_ = report::standing(course_.history(), surroundings_);
    judged_lines_ = course_.lines();
  }
  judge(now);
}

double RunView::seconds_left() const {
  return state_ == State::kTraining || state_ == State::kEvaluating ? course_.seconds_left()
                                                                    : std::numeric_limits<double>::infinity();
}

void RunView::read_config() {
  const auto changed = change_of(folder_.config());
  if (changed == config_changed_) return;
  config_changed_ = changed;
  evaluate_every_ = 0;
  try {
    const Json config = flat_yaml(files::read(folder_.config()), "config.yaml");
    evaluate_every_ =
        static_cast<std::int64_t>(std::clamp(Run::number(config, {"evaluate.every"}).value_or(0), 0.0, 1e15));
  } catch (const Error&) {
    return;  // there is none yet
  }
}

/// Who is alive holds the lock; the others are told apart by what they left.
void RunView::judge(double now) {
  words_.clear();
  const bool here = folder_.exists() || metrics_.exists();
  was_there_ = was_there_ || here;
  const double quiet = std::max(0.0, now - metrics_.changed());
  const auto written = run::is_written(folder_);
  // Where locks do not reach, a file that grows as it used to says as much.
  const bool seems_written = metrics_.exists() && quiet < kLeastPatience + kPatience * course_.seconds_between_lines();
  if (written.value_or(false) || (!written && here && seems_written)) return judge_alive(quiet);
  if (judge_by_job(now)) return;
  if (!here) {
    state_ = was_there_ ? State::kGone : State::kWaiting;
    words_ = was_there_ ? "its folder is gone" : "no run here yet";
    return;
  }
  judge_by_checkpoint(quiet);
}

void RunView::judge_alive(double quiet) {
  if (course_.lines() == 0) {
    state_ = State::kStarting;
    return;
  }
  state_ = evaluation_is_due() ? State::kEvaluating : State::kTraining;
  if (quiet > std::max(kLeastPatience, kPatience * course_.seconds_between_lines())) {
    words_ = fmt::format("nothing new for {}", log::duration(quiet));
  }
}

/// After such a step's line the next one is that of its evaluation.
bool RunView::evaluation_is_due() const {
  const History& history = course_.history();
  if (history.train.size() == 0) return false;
  const auto step = static_cast<std::int64_t>(history.train.step.back());
  const bool last = history.steps > 0 && step == history.steps;
  const bool due = evaluate_every_ > 0 && step > 0 && step % evaluate_every_ == 0;
  const bool done = history.evaluation.size() > 0 && history.evaluation.step.back() >= history.train.step.back();
  return (last || due) && !done;
}

/// A launcher knows more than the folder: that it will start the run, or why it does not.
bool RunView::judge_by_job(double now) {
  const auto status = status_of_job(folder_.job());
  if (!status) return false;
  words_ = status->words;
  switch (status->state) {
    case launch::State::kQueued:
    case launch::State::kRequeued:
      state_ = State::kWaiting;
      return true;
    case launch::State::kWaiting:
    case launch::State::kRunning:
    case launch::State::kStopping:
      if (now - status->updated > kSupervisorQuiet) break;
      state_ = status->state == launch::State::kWaiting ? State::kWaiting : State::kStarting;
      return true;
    case launch::State::kDone:
      state_ = State::kFinished;
      return true;
    case launch::State::kStopped:
      state_ = State::kStopped;
      return true;
    case launch::State::kFailed:
      state_ = State::kDead;
      return true;
    case launch::State::kEnded:
      break;
  }
  words_.clear();
  return false;
}

void RunView::judge_by_checkpoint(double quiet) {
  const std::int64_t newest = newest_checkpoint(folder_);
  const bool whole = newest >= course_.history().step;
  std::error_code ignored;
  if (whole && fs::is_symlink(folder_.checkpoints() / "final", ignored)) {
    state_ = State::kFinished;
  } else if (whole && newest >= 0) {
    state_ = State::kStopped;
    words_ = fmt::format("--resume goes on from step {}", log::with_thousands(newest));
  } else {
    state_ = State::kDead;
    words_ = metrics_.exists() ? fmt::format("nothing for {}", log::duration(quiet)) : "it never trained";
    words_ += newest >= 0 ? fmt::format("; --resume goes back to step {}", log::with_thousands(newest)) : "";
  }
}

}  // namespace etude::report::watch
