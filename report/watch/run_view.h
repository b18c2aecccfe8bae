#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/run/run_folder.h"
#include "report/standing.h"
#include "report/surroundings.h"
#include "report/watch/course.h"
#include "report/watch/follower.h"

namespace etude::report::watch {

enum class State {
  kWaiting,   ///< there is no run yet, or its job waits
  kStarting,  ///< somebody writes here, but has measured nothing yet
  kTraining,
  kEvaluating,
  kFinished,
  kStopped,  ///< with a checkpoint of its last step
  kDead,     ///< without one: nobody writes here, and it did not end
  kGone,     ///< the folder was removed
};
std::string in_words(State state);
/// Whether nothing more is to be expected of the run as it is.
bool is_over(State state);

/// One run as it can be told from its folder, without disturbing it.
class RunView {
 public:
  explicit RunView(std::filesystem::path folder);

  /// Looks what is new, at `now` (seconds since 1970).
  void poll(double now, Neighbourhood& neighbourhood);

  const std::filesystem::path& folder() const { return folder_.root(); }
  const std::string& name() const { return name_; }  ///< the folder's, unless it was given another
  void rename(std::string name) { name_ = std::move(name); }
  State state() const { return state_; }
  const std::string& words() const { return words_; }  ///< why it is in that state; empty where that is plain
  const Course& course() const { return course_; }
  const Standing& standing() const { return standing_; }
  const std::vector<std::string>& log() const { return log_; }  ///< its last lines
  double seconds_left() const;                                  ///< infinite while unknown, and where nothing goes on

 private:
  void judge(double now);
  void judge_alive(double quiet);
  bool judge_by_job(double now);
  void judge_by_checkpoint(double quiet);
  bool evaluation_is_due() const;
  void read_config();

  run::RunFolder folder_;
  std::string name_;
  Follower metrics_;
  Course course_;
  Surroundings surroundings_;
  double surveyed_ = 0;  ///< when the surroundings were last looked at
  std::size_t surveyed_evaluations_ = 0;
  std::size_t judged_lines_ = 0;  ///< lines when the standing was last worked out
  Standing standing_;
  std::vector<std::string> log_;
  std::filesystem::file_time_type log_changed_;
  std::filesystem::file_time_type config_changed_;
  std::int64_t evaluate_every_ = 0;
  bool was_there_ = false;
  State state_ = State::kWaiting;
  std::string words_;
};

}  // namespace etude::report::watch
