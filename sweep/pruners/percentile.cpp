#include "sweep/pruners/percentile.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "sweep/pruners/interval.h"

namespace etude::sweep {
namespace {

/// The value below which so many percent of the values lie, interpolated between neighbours (Hyndman and Fan 1996,
/// definition 7). `values` are at least one, and no nan.
double percentile_of(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const double place = percent / 100 * static_cast<double>(values.size() - 1);
  const double below = std::floor(place);
  const auto index = static_cast<std::size_t>(below);
  const double fraction = place - below;
  if (fraction == 0) return values[index];  // also where the next one is infinite
  const double next = values[index + 1];
  return next == values[index] ? next : values[index] + (next - values[index]) * fraction;
}

/// What the trial had reported at that step, as a loss.
std::optional<double> loss_at(const Trial& trial, std::int64_t step, Direction direction) {
  const auto report = std::lower_bound(trial.reports.begin(), trial.reports.end(), step,
                                       [](const Report& one, std::int64_t at) { return one.step < at; });
  if (report == trial.reports.end() || report->step != step) return std::nullopt;
  return as_loss(report->value, direction);
}

class PercentilePruner final : public Pruner {
 public:
  PercentilePruner(double percent, bool is_fixed) : percent_(percent), is_fixed_(is_fixed) {}

  void describe(config::Section& section) override {
    if (!is_fixed_) {
      section.number("percentile", percent_, {0, 100}, "Trials go on that are among the best so many percent.");
    }
    section.integer("startup_trials", startup_trials_, {0, 1'000'000'000},
                    "No trial is judged before so many are complete.");
    section.integer("min_trials", min_trials_, {1, 1'000'000'000},
                    "A trial is judged only at steps that so many complete trials had reported.");
    interval_.describe(section);
  }

  Verdict judge(const History& history, const Trial& trial) const override {
    if (trial.reports.empty() || !interval_.is_due(trial)) return Verdict::kContinue;
    const Direction direction = history.directions[0];
    std::int64_t complete = 0, reported = 0;
    std::vector<double> losses;
    for (const Trial& other : history.trials) {
      if (other.state != TrialState::kComplete) continue;
      complete += 1;
      const std::optional<double> loss = loss_at(other, trial.reports.back().step, direction);
      if (!loss) continue;
      reported += 1;
      if (!std::isnan(*loss)) losses.push_back(*loss);
    }
    if (complete == 0 || complete < startup_trials_) return Verdict::kContinue;

    std::optional<double> best;
    for (const Report& report : trial.reports) {
      const double loss = as_loss(report.value, direction);
      if (!std::isnan(loss)) best = std::min(best.value_or(loss), loss);
    }
    if (!best) return Verdict::kPrune;  // it never had a number
    if (reported < min_trials_ || losses.empty()) return Verdict::kContinue;
    return *best > percentile_of(std::move(losses), percent_) ? Verdict::kPrune : Verdict::kContinue;
  }

 private:
  double percent_;
  bool is_fixed_;
  std::int64_t startup_trials_ = 5;
  std::int64_t min_trials_ = 1;
  Interval interval_;
};

}  // namespace

std::unique_ptr<Pruner> make_median_pruner() { return std::make_unique<PercentilePruner>(50, true); }
std::unique_ptr<Pruner> make_percentile_pruner() { return std::make_unique<PercentilePruner>(25, false); }

}  // namespace etude::sweep
