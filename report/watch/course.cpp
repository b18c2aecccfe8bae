#include "report/watch/course.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "framework/log/pace.h"

namespace etude::report::watch {
namespace {

double number(const Json& row, const char* key) { return Run::number(row, {key}).value_or(std::nan("")); }

/// What a double counts without gaps; damage alone makes more of it.
constexpr double kMostSteps = 9.0e15;

/// Enough lines for the last minute's pace of almost any run.
constexpr std::size_t kPaceLines = 1000;

void pop(std::vector<double>& values) {
  if (!values.empty()) values.pop_back();
}

}  // namespace

void Course::add(const std::string& text) {
  const Json row = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const double step = number(row, "step");
  Line line{Line::Kind::kOther, history_.step};
  if (step >= 0 && step <= kMostSteps) {
    line.step = static_cast<std::int64_t>(step);
    if (row.contains("loss")) {
      line.kind = Line::Kind::kStep;
      add_step(row, line.step);
    } else if (row.contains("eval_loss")) {
      line.kind = Line::Kind::kEvaluation;
      add_evaluation(row, line.step);
    }
  }
  history_.step = line.step;
  lines_.push_back(line);
}

void Course::add_step(const Json& row, std::int64_t step) {
  Series& train = history_.train;
  train.step.push_back(static_cast<double>(step));
  train.tokens.push_back(number(row, "tokens"));
  train.seconds.push_back(number(row, "seconds"));
  train.loss.push_back(number(row, "loss"));
  if (std::isnan(train.loss.back())) ++history_.non_finite;
  if (const double steps = number(row, "steps"); steps > 0 && steps <= kMostSteps) {
    history_.steps = static_cast<std::int64_t>(steps);
  }
  latest_ = {.loss = train.loss.back(),
             .lr = number(row, "lr"),
             .tokens_per_second = number(row, "tokens_per_second"),
             .mfu = number(row, "mfu"),
             .data_wait = number(row, "data_wait"),
             .communication_wait = number(row, "communication_wait")};
  const auto ranks = [&row](const char* key) { return Run::number(row, {"rank_seconds", key}).value_or(std::nan("")); };
  latest_.rank_min = ranks("min");
  latest_.rank_median = ranks("median");
  latest_.rank_max = ranks("max");
  latest_.slowest_rank = ranks("slowest");
}

/// Lines of evaluations have no tokens and seconds: those of the logging step before are stretched up to here.
void Course::add_evaluation(const Json& row, std::int64_t step) {
  const Series& train = history_.train;
  const double last = train.size() > 0 ? train.step.back() : 0;
  const double stretch = last > 0 ? static_cast<double>(step) / last : std::nan("");
  Series& evaluation = history_.evaluation;
  evaluation.step.push_back(static_cast<double>(step));
  evaluation.tokens.push_back(last > 0 ? train.tokens.back() * stretch : std::nan(""));
  evaluation.seconds.push_back(last > 0 ? train.seconds.back() * stretch : std::nan(""));
  evaluation.loss.push_back(number(row, "eval_loss"));
  evaluation.loss_per_note.push_back(number(row, "eval_loss_per_note"));
}

void Course::take_back(std::size_t count) {
  for (; count > 0 && !lines_.empty(); --count) {
    const bool step = lines_.back().kind == Line::Kind::kStep;
    if (step && std::isnan(history_.train.loss.back())) --history_.non_finite;
    if (step || lines_.back().kind == Line::Kind::kEvaluation) {
      Series& from = step ? history_.train : history_.evaluation;
      for (std::vector<double>* values : {&from.step, &from.tokens, &from.seconds, &from.loss, &from.loss_per_note}) {
        pop(*values);
      }
    }
    lines_.pop_back();
  }
  history_.step = lines_.empty() ? 0 : lines_.back().step;
  if (history_.train.size() == 0) {
    history_.steps = 0;
    latest_ = {};
  } else {
    latest_.loss = history_.train.loss.back();
  }
}

double Course::seconds_left() const {
  log::Pace pace;
  const Series& train = history_.train;
  const std::size_t begin = train.size() > kPaceLines ? train.size() - kPaceLines : 0;
  for (std::size_t i = begin; i < train.size(); ++i) {
    if (std::isfinite(train.seconds[i])) pace.add(static_cast<std::int64_t>(train.step[i]), train.seconds[i]);
  }
  return history_.steps > 0 ? pace.left(history_.steps) : INFINITY;
}

double Course::seconds_between_lines() const {
  const std::vector<double>& seconds = history_.train.seconds;
  if (seconds.empty()) return 0;
  const std::size_t back = std::min<std::size_t>(seconds.size() - 1, 10);
  const double between =
      back == 0 ? seconds.back() : (seconds.back() - seconds[seconds.size() - 1 - back]) / static_cast<double>(back);
  return between > 0 ? between : 0;
}

}  // namespace etude::report::watch
