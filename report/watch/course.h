#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/run.h"

namespace etude::report::watch {

/// The other figures of a logging step's line; what it does not have is NaN.
struct Figures {
  double loss = 0;
  double lr = 0;
  double tokens_per_second = 0;
  double mfu = 0;
  double data_wait = 0;
  double communication_wait = 0;
  double rank_min = 0, rank_median = 0, rank_max = 0;  ///< seconds a step
  double slowest_rank = 0;
};

/// What a metrics.jsonl has told, line by line; lines can be taken back from the end.
class Course {
 public:
  void add(const std::string& line);
  void take_back(std::size_t lines);

  const History& history() const { return history_; }
  const Figures& latest() const { return latest_; }
  std::size_t lines() const { return lines_.size(); }
  /// Seconds until all steps are done, by the last minute's pace; infinite while unknown.
  double seconds_left() const;
  /// Seconds of training between two logging steps, lately; 0 while unknown.
  double seconds_between_lines() const;

 private:
  struct Line {
    enum class Kind : std::uint8_t { kStep, kEvaluation, kOther } kind;
    std::int64_t step;
  };
  void add_step(const Json& row, std::int64_t step);
  void add_evaluation(const Json& row, std::int64_t step);

  History history_;  ///< unlike a report's, its training curve has the losses that are no number, as NaN
  Figures latest_;
  std::vector<Line> lines_;
};

}  // namespace etude::report::watch
