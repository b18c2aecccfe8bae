#include "sweep/pruners/patient.h"

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace etude::sweep {
namespace {

using Reports = std::vector<Report>::const_iterator;

/// The least loss among some reports; nothing where none is a number.
std::optional<double> best_of(Reports begin, Reports end, Direction direction) {
  std::optional<double> best;
  for (; begin != end; ++begin) {
    const double loss = as_loss(begin->value, direction);
    if (!std::isnan(loss) && (!best || loss < *best)) best = loss;
  }
  return best;
}

class PatientPruner final : public Pruner {
 public:
  PatientPruner() {
    for (const PrunerKind& kind : pruner_kinds()) {
      const std::string name = kind.name;
      if (name != "patient" && name != "population") wrapped_.emplace_back(name, kind.make());
    }
  }

  void describe(config::Section& section) override {
    section.integer("patience", patience_, {0, 1'000'000'000}, "Reports without improvement that are borne.");
    section.number("min_delta", min_delta_, {0, 1e300}, "What counts as no worse.");
    std::vector<std::pair<std::string, std::function<void(config::Section&)>>> alternatives;
    for (const auto& [name, pruner] : wrapped_) {
      alternatives.emplace_back(name, [one = pruner.get()](config::Section& keys) { one->describe(keys); });
    }
    section.section("wrapped", "The pruner that is asked about a trial without improvement.")
        .variant("kind", kind_, std::move(alternatives), "The rule; none ends every such trial.");
  }

  void check(const std::vector<Direction>& directions) const override {
    Pruner::check(directions);
    wrapped().check(directions);
  }

  Verdict judge(const History& history, const Trial& trial) const override {
    const auto borne = static_cast<std::size_t>(patience_) + 1;
    if (trial.reports.size() <= borne) return Verdict::kContinue;
    const auto since = trial.reports.end() - static_cast<std::ptrdiff_t>(borne);
    const Direction direction = history.directions[0];
    const std::optional<double> before = best_of(trial.reports.begin(), since, direction);
    const std::optional<double> after = best_of(since, trial.reports.end(), direction);
    if (!before || !after || !(*before + min_delta_ < *after)) return Verdict::kContinue;
    return kind_ == "none" ? Verdict::kPrune : wrapped().judge(history, trial);
  }

  std::optional<std::int64_t> promote(const History& history) const override { return wrapped().promote(history); }

 private:
  const Pruner& wrapped() const {
    for (const auto& [name, pruner] : wrapped_) {
      if (name == kind_) return *pruner;
    }
    return *wrapped_.front().second;
  }

  std::int64_t patience_ = 3;
  double min_delta_ = 0;
  std::string kind_ = "none";
  std::vector<std::pair<std::string, std::unique_ptr<Pruner>>> wrapped_;
};

}  // namespace

std::unique_ptr<Pruner> make_patient_pruner() { return std::make_unique<PatientPruner>(); }

}  // namespace etude::sweep
