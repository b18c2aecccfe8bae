#include "sweep/spending.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "framework/config/values.h"

namespace etude::sweep {
namespace {

constexpr double kHour = 3600;

void add(Spent& spent, const Worker& worker, double seconds) {
  const double hours = std::max(0.0, seconds) / kHour;
  spent.gpu_hours += hours * worker.gpus;
  spent.core_hours += hours * worker.cores;
  spent.cost += hours * worker.price;
}

void add(Spent& spent, const Spent& more, double sign) {
  spent.gpu_hours += sign * more.gpu_hours;
  spent.core_hours += sign * more.core_hours;
  spent.cost += sign * more.cost;
}

/// One bound: how much of it is used, how fast, and how it is called.
struct Bound {
  double used, per_hour, most;
  std::string words;
};

}  // namespace

void Spending::note(std::int64_t number, const std::vector<Stint>& stints) {
  Spent& before = closed_of_[number];
  add(closed_, before, -1);
  before = {};
  open_.erase(number);
  for (const Stint& stint : stints) {
    if (stint.open) {
      open_[number] = stint;
    } else {
      add(before, stint.worker, stint.ended - stint.began);
    }
  }
  add(closed_, before, 1);
}

Spent Spending::spent(double now) const {
  Spent all = closed_;
  for (const auto& [number, stint] : open_) add(all, stint.worker, now - stint.began);
  return all;
}

namespace {

std::array<Bound, 4> bounds(const Budget& budget, const Spent& spent, const Worker& together, double wall) {
  return {{{wall, kHour, budget.wall, config::duration_text(budget.wall)},
           {spent.gpu_hours, together.gpus, budget.gpu_hours, fmt::format("{:g} GPU-hours", budget.gpu_hours)},
           {spent.core_hours, together.cores, budget.core_hours, fmt::format("{:g} core-hours", budget.core_hours)},
           {spent.cost, together.price, budget.cost, fmt::format("{:g} {}", budget.cost, budget.currency)}}};
}

}  // namespace

double Spending::allowance(double now, double wall, const Worker& together) const {
  double least = -1;
  for (const Bound& bound : bounds(budget_, spent(now), together, wall)) {
    if (bound.most <= 0) continue;
    if (bound.used >= bound.most) return 0;
    if (bound.per_hour <= 0) continue;
    const double seconds = (bound.most - bound.used) / bound.per_hour * kHour;
    least = least < 0 ? seconds : std::min(least, seconds);
  }
  return least;
}

std::string Spending::exhausted(double now, double wall) const {
  for (const Bound& bound : bounds(budget_, spent(now), {}, wall)) {
    if (bound.most > 0 && bound.used >= bound.most) return fmt::format("the budget of {} is used up", bound.words);
  }
  return "";
}

}  // namespace etude::sweep
