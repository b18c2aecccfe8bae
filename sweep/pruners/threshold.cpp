#include "sweep/pruners/threshold.h"

#include <limits>

#include "framework/config/error.h"
#include "sweep/pruners/interval.h"

namespace etude::sweep {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ThresholdPruner final : public Pruner {
 public:
  void describe(config::Section& section) override {
    section.number("lower", lower_, {-kInfinity, kInfinity}, "A trial that reports less ends.");
    section.number("upper", upper_, {-kInfinity, kInfinity}, "A trial that reports more ends.");
    interval_.describe(section);
  }

  void check(const std::vector<Direction>& directions) const override {
    Pruner::check(directions);
    if (lower_ == -kInfinity && upper_ == kInfinity) throw UsageError("give lower, upper, or both");
    if (lower_ > upper_) throw UsageError("lower is above upper, which leaves nothing between them");
  }

  Verdict judge(const History&, const Trial& trial) const override {
    if (trial.reports.empty() || !interval_.is_due(trial)) return Verdict::kContinue;
    const double value = trial.reports.back().value;
    return value >= lower_ && value <= upper_ ? Verdict::kContinue : Verdict::kPrune;  // nan is nowhere between
  }

 private:
  double lower_ = -kInfinity, upper_ = kInfinity;
  Interval interval_;
};

}  // namespace

std::unique_ptr<Pruner> make_threshold_pruner() { return std::make_unique<ThresholdPruner>(); }

}  // namespace etude::sweep
