#include "sweep/pruners/population.h"

#include "sweep/samplers/population.h"

namespace etude::sweep {
namespace {

class PopulationPruner final : public Pruner {
 public:
  void describe(config::Section&) override {}

  Verdict judge(const History&, const Trial& trial) const override {
    const auto until = trial.system_attributes.find(kUntil);
    const bool noted = until != trial.system_attributes.end() && until->second.is_number_integer();
    if (!noted || trial.reports.empty()) return Verdict::kContinue;
    return trial.reports.back().step >= until->second.get<std::int64_t>() ? Verdict::kFinish : Verdict::kContinue;
  }
};

}  // namespace

std::unique_ptr<Pruner> make_population_pruner() { return std::make_unique<PopulationPruner>(); }

}  // namespace etude::sweep
