#include "sweep/pruners/rungs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace etude::sweep {

std::optional<std::int64_t> Rungs::step_of(std::size_t rung) const {
  std::int64_t step = options_.first;
  for (; rung > 0; --rung) {
    if (step > std::numeric_limits<std::int64_t>::max() / options_.reduction) return std::nullopt;
    step *= options_.reduction;
  }
  if (options_.last > 0 && step >= options_.last) return std::nullopt;
  return step;
}

std::int64_t Rungs::step(const Trial& trial, std::size_t report) const {
  return options_.unit == Unit::kReport ? static_cast<std::int64_t>(report) + 1 : trial.reports[report].step;
}

std::vector<std::size_t> Rungs::reached(const Trial& trial) const {
  std::vector<std::size_t> deciding;
  std::size_t report = 0;
  while (const std::optional<std::int64_t> at = step_of(deciding.size())) {
    while (report < trial.reports.size() && step(trial, report) < *at) ++report;
    if (report == trial.reports.size()) break;
    deciding.push_back(report);
  }
  // One report may pass several rungs. Who was stopped there came no further than to the first of them.
  const bool stopped = trial.paused() || trial.state == TrialState::kPruned;
  while (stopped && deciding.size() > 1 && deciding.back() == trial.reports.size() - 1 &&
         deciding[deciding.size() - 2] == deciding.back()) {
    deciding.pop_back();
  }
  return deciding;
}

std::vector<Rungs::Standing> Rungs::standings(const History& history, std::size_t rung, const Members& members) const {
  std::vector<Standing> all;
  for (const Trial& trial : history.trials) {
    if (trial.reports.empty() || !members(trial)) continue;
    const std::vector<std::size_t> deciding = reached(trial);
    if (rung >= deciding.size()) continue;
    const double loss = as_loss(trial.reports[deciding[rung]].value, history.directions[0]);
    if (std::isnan(loss)) continue;
    all.push_back({trial.number, loss, trial.paused() && deciding.size() == rung + 1});
  }
  return all;
}

double Rungs::bar(std::vector<Standing>& standings) const {
  const std::size_t best = std::max<std::size_t>(1, standings.size() / static_cast<std::size_t>(options_.reduction));
  const auto last = standings.begin() + static_cast<std::ptrdiff_t>(best) - 1;
  std::nth_element(standings.begin(), last, standings.end(),
                   [](const Standing& a, const Standing& b) { return a.loss < b.loss; });
  return last->loss;
}

Verdict Rungs::judge(const History& history, const Trial& trial, const Members& members) const {
  if (trial.reports.empty()) return Verdict::kContinue;
  const std::vector<std::size_t> deciding = reached(trial);
  for (std::size_t rung = 0; rung < deciding.size(); ++rung) {
    if (deciding[rung] != trial.reports.size() - 1) continue;  // it was judged there before
    const double loss = as_loss(trial.reports.back().value, history.directions[0]);
    if (std::isnan(loss)) return Verdict::kPrune;
    std::vector<Standing> all = standings(history, rung, members);
    if (!(loss <= bar(all))) return options_.resume ? Verdict::kPause : Verdict::kPrune;
  }
  return Verdict::kContinue;
}

std::optional<std::int64_t> Rungs::promote(const History& history, const Members& members) const {
  std::size_t highest = 0;
  for (const Trial& trial : history.trials) {
    if (trial.paused() && members(trial)) highest = std::max(highest, reached(trial).size());
  }
  for (std::size_t rung = highest; rung-- > 0;) {
    std::vector<Standing> all = standings(history, rung, members);
    if (all.empty()) continue;
    const double worst = bar(all);
    std::erase_if(all, [&](const Standing& one) { return !one.waits || one.loss > worst; });
    if (all.empty()) continue;
    return std::min_element(all.begin(), all.end(),
                            [](const Standing& a, const Standing& b) {
                              return a.loss != b.loss ? a.loss < b.loss : a.number < b.number;
                            })
        ->number;
  }
  return std::nullopt;
}

}  // namespace etude::sweep
