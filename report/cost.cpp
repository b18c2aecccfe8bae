#include "report/cost.h"

#include <algorithm>

#include <fmt/format.h>

namespace etude::report {
namespace {

constexpr double kHour = 3600;

/// What a job says that it used, over all its attempts.
void take_job(const Run& run, Cost& cost) {
  cost.core_hours = Run::number(run.job, {"usage", "core_hours"});
  const auto gpus = Run::number(run.job, {"usage", "gpu_hours"});
  if (gpus && *gpus > 0) cost.gpu_hours = gpus;
  const auto money = Run::number(run.job, {"usage", "cost"});
  if (!money || *money <= 0) return;
  cost.money = money;
  cost.currency = Run::text(run.job["usage"], "currency");
}

void take_clock(const Run& run, Cost& cost) {
  const auto ranks = Run::number(run.environment, {"ranks"});
  if (!ranks || run.history.seconds <= 0) return;
  const double hours = run.history.seconds / kHour * *ranks;
  const std::string device = Run::text(run.environment, "device");
  if (!device.empty() && device != "CPU") {
    cost.gpu_hours = hours;
  } else if (const auto threads = Run::number(run.environment, {"threads_per_rank"})) {
    cost.core_hours = hours * *threads;
  }
}

/// Of what is known of all of them.
Cost mean(const std::vector<Cost>& costs) {
  Cost sum;
  const auto over = [&](std::optional<double> Cost::*part) -> std::optional<double> {
    double all = 0;
    for (const Cost& cost : costs) {
      if (!(cost.*part)) return std::nullopt;
      all += *(cost.*part);
    }
    if (costs.empty()) return std::nullopt;
    return all / static_cast<double>(costs.size());
  };
  sum.core_hours = over(&Cost::core_hours);
  sum.gpu_hours = over(&Cost::gpu_hours);
  const bool one_currency =
      std::ranges::all_of(costs, [&](const Cost& cost) { return cost.currency == costs.front().currency; });
  if (one_currency && !costs.empty()) {
    sum.money = over(&Cost::money);
    sum.currency = costs.front().currency;
  }
  return sum;
}

}  // namespace

Cost cost_of(const Run& run, const Prices& prices) {
  Cost cost;
  take_job(run, cost);
  if (!cost.core_hours && !cost.gpu_hours) take_clock(run, cost);
  if (!prices.core_hour && !prices.gpu_hour) return cost;
  cost.money.reset();
  cost.currency = prices.currency;
  if (cost.gpu_hours && prices.gpu_hour) {
    cost.money = *cost.gpu_hours * *prices.gpu_hour;
  } else if (cost.core_hours && prices.core_hour && !cost.gpu_hours) {
    cost.money = *cost.core_hours * *prices.core_hour;
  }
  return cost;
}

Effort effort_of(const Group& group, const std::vector<Run>& runs, const std::vector<Cost>& costs) {
  const std::vector<std::size_t>& members = group.measured.empty() ? group.runs : group.measured;
  Effort effort;
  std::vector<Cost> theirs;
  for (const std::size_t run : members) {
    effort.seconds += runs[run].history.seconds / static_cast<double>(members.size());
    theirs.push_back(costs[run]);
  }
  effort.cost = mean(theirs);
  return effort;
}

std::string in_words(const Cost& cost) {
  if (cost.money) return fmt::format("{:.2f} {}", *cost.money, cost.currency);
  if (cost.gpu_hours) return fmt::format("{:.2g} GPU-hours", *cost.gpu_hours);
  if (cost.core_hours) return fmt::format("{:.2g} core-hours", *cost.core_hours);
  return "";
}

}  // namespace etude::report
