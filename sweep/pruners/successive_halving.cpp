#include "sweep/pruners/successive_halving.h"

#include <cmath>
#include <limits>

#include "framework/config/error.h"
#include "sweep/pruners/rungs.h"
#include "sweep/random.h"

namespace etude::sweep {
namespace {

constexpr std::int64_t kMostSteps = std::int64_t{1} << 52;

void describe_rungs(config::Section& section, Rungs::Options& options) {
  section.integer("reduction", options.reduction, {2, 1'000'000},
                  "One of so many goes on at each rung, and has as many times the steps until the next.");
  section.boolean("resume", options.resume,
                  "Whether trials that do not go on wait with their checkpoint, and are resumed where others turn out "
                  "worse; else they end.");
  section.choice("unit", options.unit, {{"step", Rungs::Unit::kStep}, {"report", Rungs::Unit::kReport}},
                 "What min_step and max_step count: steps of training, or a trial's reports.");
}

void check_steps(std::int64_t min_step, std::int64_t max_step) {
  if (min_step == 0) throw UsageError("min_step is missing: the step at which trials are compared first, such as 200");
  if (max_step > 0 && max_step < min_step) throw UsageError("max_step is below min_step");
}

bool everyone(const Trial&) { return true; }

class SuccessiveHalvingPruner final : public Pruner {
 public:
  SuccessiveHalvingPruner() { options_.first = 0; }

  void describe(config::Section& section) override {
    section.integer("min_step", options_.first, {0, kMostSteps}, "The step of the first rung; to be given.");
    section.integer("max_step", options_.last, {0, kMostSteps},
                    "From here on trials are left alone, as where training ends; 0 for nowhere.");
    describe_rungs(section, options_);
  }
  void check(const std::vector<Direction>& directions) const override {
    Pruner::check(directions);
    check_steps(options_.first, options_.last);
  }
  Verdict judge(const History& history, const Trial& trial) const override {
    return Rungs(options_).judge(history, trial, everyone);
  }
  std::optional<std::int64_t> promote(const History& history) const override {
    return options_.resume ? Rungs(options_).promote(history, everyone) : std::nullopt;
  }

 private:
  Rungs::Options options_;
};

class HyperbandPruner final : public Pruner {
 public:
  HyperbandPruner() {
    options_.first = 0;
    options_.reduction = 3;
  }

  void describe(config::Section& section) override {
    section.integer("min_step", options_.first, {0, kMostSteps},
                    "The step of the first rung of the bracket that halves first; to be given.");
    section.integer("max_step", options_.last, {0, kMostSteps},
                    "The steps of a whole trial, which decide how many brackets there are; to be given.");
    describe_rungs(section, options_);
  }
  void check(const std::vector<Direction>& directions) const override {
    Pruner::check(directions);
    check_steps(options_.first, options_.last);
    if (options_.last == 0) throw UsageError("max_step is missing: the steps of a whole trial");
  }
  Verdict judge(const History& history, const Trial& trial) const override {
    const std::vector<std::int64_t> shares = brackets();
    const std::size_t own = bracket(trial, shares);
    return rungs(own).judge(history, trial, [&](const Trial& one) { return bracket(one, shares) == own; });
  }
  std::optional<std::int64_t> promote(const History& history) const override {
    if (!options_.resume) return std::nullopt;
    const std::vector<std::int64_t> shares = brackets();
    for (std::size_t each = 0; each < shares.size(); ++each) {
      const auto number = rungs(each).promote(history, [&](const Trial& one) { return bracket(one, shares) == each; });
      if (number) return number;
    }
    return std::nullopt;
  }

 private:
  /// How many trials of all go to each bracket: ⌈B · reduction^s / (s + 1)⌉, s = B - 1 … 0, so that each bracket trains
  /// about as many steps (algorithm 1 of the paper).
  std::vector<std::int64_t> brackets() const {
    std::vector<double> powers{1};
    double step = static_cast<double>(options_.first);
    const auto reduction = static_cast<double>(options_.reduction);
    while ((step *= reduction) <= static_cast<double>(options_.last)) powers.push_back(powers.back() * reduction);
    const auto count = static_cast<double>(powers.size());
    std::vector<std::int64_t> shares;
    for (std::size_t s = powers.size(); s-- > 0;) {
      shares.push_back(static_cast<std::int64_t>(std::ceil(count * powers[s] / (static_cast<double>(s) + 1))));
    }
    return shares;
  }

  /// Drawn, so that no pattern in what is proposed one after the other meets a pattern here.
  static std::size_t bracket(const Trial& trial, const std::vector<std::int64_t>& shares) {
    std::int64_t total = 0;
    for (const std::int64_t share : shares) total += share;
    auto place = static_cast<std::int64_t>(
        Random(0, static_cast<std::uint64_t>(trial.number)).below(static_cast<std::uint64_t>(total)));
    std::size_t each = 0;
    while ((place -= shares[each]) >= 0) ++each;
    return each;
  }

  Rungs rungs(std::size_t bracket) const {
    Rungs::Options options = options_;
    for (; bracket > 0; --bracket) options.first *= options.reduction;
    return Rungs(options);
  }

  Rungs::Options options_;
};

}  // namespace

std::unique_ptr<Pruner> make_successive_halving_pruner() { return std::make_unique<SuccessiveHalvingPruner>(); }
std::unique_ptr<Pruner> make_hyperband_pruner() { return std::make_unique<HyperbandPruner>(); }

}  // namespace etude::sweep
