#include "sweep/pruners/wilcoxon.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <numeric>

namespace etude::sweep {
namespace {

struct Ranks {
  std::vector<std::int64_t> doubled;  ///< of the absolute values, ties having their mean; twice it is an integer
  double ties = 0;                    ///< Σ t³ - t over groups of t alike
};

Ranks ranks_of(const std::vector<double>& differences) {
  std::vector<std::size_t> order(differences.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto magnitude = [&](std::size_t index) { return std::abs(differences[index]); };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return magnitude(a) < magnitude(b); });
  Ranks ranks;
  ranks.doubled.resize(order.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && magnitude(order[end]) == magnitude(order[begin])) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks.doubled[order[i]] = static_cast<std::int64_t>(begin + 1 + end);
    const auto alike = static_cast<double>(end - begin);
    ranks.ties += alike * alike * alike - alike;
    begin = end;
  }
  return ranks;
}

/// The share of all choices of signs whose positive ranks sum to at least `least`.
double exact_share(const std::vector<std::int64_t>& ranks, std::int64_t least) {
  const std::int64_t total = std::accumulate(ranks.begin(), ranks.end(), std::int64_t{0});
  std::vector<double> share(static_cast<std::size_t>(total) + 1, 0.0);
  share[0] = 1;
  for (const std::int64_t rank : ranks) {
    const auto shift = static_cast<std::size_t>(rank);
    for (std::size_t sum = share.size(); sum-- > 0;) {
      share[sum] = (share[sum] + (sum >= shift ? share[sum - shift] : 0)) / 2;
    }
  }
  return std::accumulate(share.begin() + std::clamp<std::int64_t>(least, 0, total), share.end(), 0.0);
}

double mean(const std::vector<Report>& reports) {
  const double sum = std::accumulate(reports.begin(), reports.end(), 0.0,
                                     [](double so_far, const Report& r) { return so_far + r.value; });
  return sum / static_cast<double>(reports.size());
}

bool is_finite(const Trial& trial) {
  return std::all_of(trial.reports.begin(), trial.reports.end(),
                     [](const Report& r) { return std::isfinite(r.value); });
}

const Trial* best_complete(const History& history) {
  const Trial* best = nullptr;
  const auto loss = [&](const Trial& trial) { return as_loss(trial.values[0], history.directions[0]); };
  for (const Trial& trial : history.trials) {
    if (trial.state != TrialState::kComplete || trial.values.empty()) continue;
    if (best == nullptr || loss(trial) < loss(*best)) best = &trial;
  }
  return best;
}

class WilcoxonPruner final : public Pruner {
 public:
  void describe(config::Section& section) override {
    section.number("p_threshold", p_threshold_, {0, 1},
                   "How improbable it must be that the trial is as good; less is "
                   "more careful.");
    section.integer("startup_steps", startup_steps_, {0, 1'000'000'000},
                    "No trial is judged by fewer steps that the best one has too; never by fewer than 2.");
  }

  Verdict judge(const History& history, const Trial& trial) const override {
    const Trial* best = best_complete(history);
    if (best == nullptr || best->reports.empty() || trial.reports.empty()) return Verdict::kContinue;
    if (!is_finite(trial) || !is_finite(*best)) return Verdict::kContinue;
    const Direction direction = history.directions[0];
    std::vector<double> differences;
    auto other = best->reports.begin();
    for (const Report& report : trial.reports) {
      while (other != best->reports.end() && other->step < report.step) ++other;
      if (other == best->reports.end()) break;
      if (other->step == report.step) {
        differences.push_back(as_loss(report.value, direction) - as_loss(other->value, direction));
      }
    }
    const std::int64_t least = std::max<std::int64_t>(2, startup_steps_);
    if (static_cast<std::int64_t>(differences.size()) < least) return Verdict::kContinue;
    // Who is better on the average is not stopped, however many single steps speak against it.
    if (as_loss(mean(best->reports), direction) >= as_loss(mean(trial.reports), direction)) return Verdict::kContinue;
    return wilcoxon_greater(differences) < p_threshold_ ? Verdict::kPrune : Verdict::kContinue;
  }

 private:
  double p_threshold_ = 0.1;
  std::int64_t startup_steps_ = 2;
};

}  // namespace

double wilcoxon_greater(const std::vector<double>& differences) {
  const Ranks ranks = ranks_of(differences);
  std::vector<std::int64_t> signed_ranks;  // of all but the zeros
  std::int64_t above = 0, zeros = 0;       // doubled, as the ranks are
  for (std::size_t i = 0; i < differences.size(); ++i) {
    if (differences[i] == 0) {
      zeros += ranks.doubled[i];
    } else {
      signed_ranks.push_back(ranks.doubled[i]);
      if (differences[i] > 0) above += ranks.doubled[i];
    }
  }
  constexpr std::size_t kMostExact = 50, kMostExactWithTies = 13;
  const auto count = static_cast<double>(differences.size());
  const bool plain = ranks.ties == 0 && zeros == 0;
  if (differences.size() <= (plain ? kMostExact : kMostExactWithTies)) return exact_share(signed_ranks, above);
  const double sum = (static_cast<double>(above) + static_cast<double>(zeros) / 2) / 2;
  const double variance = (count * (count + 1) * (2 * count + 1) - ranks.ties / 2) / 24;
  return std::erfc((sum - count * (count + 1) / 4) / std::sqrt(variance) / std::numbers::sqrt2) / 2;
}

std::unique_ptr<Pruner> make_wilcoxon_pruner() { return std::make_unique<WilcoxonPruner>(); }

}  // namespace etude::sweep
