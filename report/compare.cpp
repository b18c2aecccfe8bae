#include "report/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace etude::report {
namespace {

using analysis::Interval;
using analysis::SeedSpread;

constexpr std::uint64_t kSeedOfPieces = 1;

/// Enough for the percentiles to move by a hundredth of the interval's width; fewer where that would take long.
std::size_t resamples_for(std::size_t runs, std::size_t pieces) {
  constexpr std::size_t kMost = 10000, kFewest = 2000, kManyProducts = 100'000;
  return runs * pieces > kManyProducts ? kFewest : kMost;
}

/// Groups of one set, with the replicates of their means.
class Table {
 public:
  Table(const std::vector<Measured>& measured, const Grouping& grouping, std::vector<std::size_t> groups)
      : groups_(std::move(groups)), all_(grouping.groups) {
    std::vector<std::size_t> runs;
    for (const std::size_t group : groups_) {
      runs.insert(runs.end(), all_[group].measured.begin(), all_[group].measured.end());
    }
    std::vector<analysis::PieceSums> sums;
    for (const std::size_t run : runs) sums.push_back(measured[run].pieces);
    pieces_ = measured[runs.front()].ids.size();
    const auto drawn = analysis::replicates(sums, resamples_for(runs.size(), pieces_), kSeedOfPieces);
    std::size_t at = 0;
    for (const std::size_t group : groups_) {
      const std::size_t members = all_[group].measured.size();
      std::vector<double> values, mean(drawn.front().size());
      for (std::size_t i = 0; i < members; ++i, ++at) {
        values.push_back(*measured[all_[group].measured[i]].value);
        for (std::size_t r = 0; r < mean.size(); ++r) mean[r] += drawn[at][r] / static_cast<double>(members);
        if (enough()) intervals_.emplace_back(runs[at], analysis::percentile_interval(drawn[at], pieces_));
      }
      values_.push_back(std::move(values));
      means_.push_back(std::move(mean));
    }
  }

  /// Whether there are enough pieces to say anything.
  bool enough() const { return pieces_ >= analysis::kFewestPieces; }
  const std::vector<std::pair<std::size_t, Interval>>& run_intervals() const { return intervals_; }

  double mean_of(std::size_t i) const {
    return std::accumulate(values_[i].begin(), values_[i].end(), 0.0) / static_cast<double>(values_[i].size());
  }

  GroupFigures figures(std::size_t i) const {
    GroupFigures figures{.mean = mean_of(i), .deviation = std::nullopt, .interval = std::nullopt};
    const SeedSpread spread = analysis::pooled_spread(std::span(&values_[i], 1));
    if (spread.freedom > 0) figures.deviation = spread.deviation;
    if (!enough()) return figures;
    figures.interval = interval(means_[i], spread, 1.0 / static_cast<double>(values_[i].size()));
    return figures;
  }

  /// Places in the order of the table's groups, the best first.
  std::vector<std::size_t> order() const {
    std::vector<std::size_t> order(groups_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return mean_of(i); });
    return order;
  }
  std::size_t group(std::size_t i) const { return groups_[i]; }

  Comparison compare(std::size_t i, std::size_t j) const {
    Comparison result{.a = groups_[i],
                      .b = groups_[j],
                      .difference = mean_of(i) - mean_of(j),
                      .interval = std::nullopt,
                      .pieces = pieces_,
                      .seeds_a = values_[i].size(),
                      .seeds_b = values_[j].size()};
    const SeedSpread spread = spread_between(i, j, result.seeds_known);
    if (!enough()) {
      result.verdict = Verdict::kTooFewPieces;
      return result;
    }
    std::vector<double> difference(means_[i].size());
    std::ranges::transform(means_[i], means_[j], difference.begin(), std::minus<>());
    const double share = 1.0 / static_cast<double>(result.seeds_a) + 1.0 / static_cast<double>(result.seeds_b);
    result.interval = interval(std::move(difference), spread, share);
    result.verdict = result.interval->holds(0)   ? Verdict::kWithinNoise
                     : result.interval->high < 0 ? Verdict::kABetter
                                                 : Verdict::kBBetter;
    return result;
  }

 private:
  /// `share` of the spread's variance is in what the replicates are of: 1/m for a mean over m seeds.
  Interval interval(std::vector<double> replicates, const SeedSpread& spread, double share) const {
    if (spread.freedom == 0) return analysis::percentile_interval(std::move(replicates), pieces_);
    std::vector<double>& draws = draws_[spread.freedom];
    if (draws.empty()) draws = analysis::student_draws(spread.freedom, replicates.size());
    return analysis::interval_with_seeds(std::move(replicates), pieces_, spread.deviation * std::sqrt(share), draws);
  }

  /// The two groups' own where each has several seeds; else what the other groups hint at.
  SeedSpread spread_between(std::size_t i, std::size_t j, SeedsKnown& known) const {
    if (values_[i].size() > 1 && values_[j].size() > 1) {
      known = SeedsKnown::kFromBoth;
      return analysis::pooled_spread(std::vector{values_[i], values_[j]});
    }
    const SeedSpread spread = analysis::pooled_spread(values_);
    known = spread.freedom > 0 ? SeedsKnown::kFromOthers : SeedsKnown::kNot;
    return spread;
  }

  std::vector<std::size_t> groups_;
  const std::vector<Group>& all_;
  std::size_t pieces_ = 0;
  std::vector<std::vector<double>> values_;  ///< of each group's runs
  std::vector<std::vector<double>> means_;   ///< of each group, replicated
  std::vector<std::pair<std::size_t, Interval>> intervals_;
  mutable std::map<std::int64_t, std::vector<double>> draws_;  ///< by degrees of freedom, made when they are needed
};

void compare_within(const Table& table, const std::vector<std::size_t>& order, std::vector<Comparison>& comparisons) {
  const bool all = order.size() <= kAllPairs;
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = i + 1; j < order.size(); ++j) {
      if (all || i == 0 || j == i + 1) comparisons.push_back(table.compare(order[i], order[j]));
    }
  }
}

/// The groups of each set, the largest set first.
std::vector<std::vector<std::size_t>> sets_of(const Grouping& grouping) {
  std::vector<std::vector<std::size_t>> sets(grouping.tables);
  for (std::size_t i = 0; i < grouping.groups.size(); ++i) {
    if (!grouping.groups[i].measured.empty()) sets[grouping.groups[i].table].push_back(i);
  }
  std::ranges::stable_sort(sets, std::greater<>(), &std::vector<std::size_t>::size);
  return sets;
}

}  // namespace

std::string in_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::kABetter:
      return "a better";
    case Verdict::kBBetter:
      return "b better";
    case Verdict::kWithinNoise:
      return "within noise";
    case Verdict::kTooFewPieces:
      break;
  }
  return "not comparable";
}

Compared compare(const std::vector<Measured>& measured, const Grouping& grouping, const Metric& metric) {
  Compared result;
  result.runs.resize(measured.size());
  result.groups.resize(grouping.groups.size());
  for (const std::vector<std::size_t>& groups : sets_of(grouping)) {
    const Table table(measured, grouping, groups);
    for (const auto& [run, interval] : table.run_intervals()) result.runs[run] = interval;
    for (std::size_t i = 0; i < groups.size(); ++i) result.groups[groups[i]] = table.figures(i);
    const std::vector<std::size_t> order = table.order();
    compare_within(table, order, result.comparisons);
    std::vector<std::size_t> ranking;
    for (const std::size_t i : order) ranking.push_back(table.group(i));
    result.tables.push_back(std::move(ranking));
  }
  for (std::size_t set = 1; set < result.tables.size(); ++set) {
    const std::size_t best = result.tables.front().front();
    const Measured& of_best = measured[grouping.groups[best].measured.front()];
    for (const std::size_t group : result.tables[set]) {
      const auto reason = refusal(of_best, measured[grouping.groups[group].measured.front()], metric);
      result.refused.push_back({best, group, reason.value_or("measured in another way")});
    }
  }
  return result;
}

}  // namespace etude::report
