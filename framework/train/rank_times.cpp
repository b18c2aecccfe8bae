#include "framework/train/rank_times.h"

#include <algorithm>
#include <utility>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

namespace etude::train {
namespace {

constexpr double kClearly = 1.3;
/// One report may have met a moment in which something else had the processor.
constexpr std::int64_t kReports = 2;
constexpr std::int64_t kSteps = 10;

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

void RankTimes::add(std::chrono::duration<double> computing) {
  computing_ += computing;
  ++steps_;
}

RankSeconds RankTimes::gather(comm::Communicator& communicator) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  if (steps_ > 0) seconds_ = computing_.count() / static_cast<double>(steps_);
  at::Tensor own = at::empty({2}, at::kDouble), all = at::empty({2 * communicator.size()}, at::kDouble);
  own.data_ptr<double>()[0] = seconds_;
  own.data_ptr<double>()[1] = seconds_ / rounds_;
  communicator.all_gather(all, own, std::vector<std::int64_t>(ranks, 2))->wait();

  std::vector<double> seconds;
  per_round_.clear();
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    seconds.push_back(all.data_ptr<double>()[2 * rank]);
    per_round_.push_back(all.data_ptr<double>()[2 * rank + 1]);
  }
  const int found = straggler(per_round_);
  if (found != suspect_) suspected_reports_ = suspected_steps_ = 0;
  suspect_ = found;
  ++suspected_reports_;
  suspected_steps_ += steps_;
  computing_ = computing_.zero();
  steps_ = 0;

  const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
  return {*least, median_of(seconds), *most, static_cast<int>(most - seconds.begin())};
}

std::optional<std::string> RankTimes::news() {
  if (suspect_ == told_ || suspected_reports_ < kReports || suspected_steps_ < kSteps) return std::nullopt;
  const int before = std::exchange(told_, suspect_);
  if (suspect_ < 0) return fmt::format("rank {} is no longer slower than the others", before);
  std::vector<double> others = per_round_;
  others.erase(others.begin() + suspect_);
  return fmt::format(
      "rank {} is slow, and all wait for it: it computes {:.3f} s where the others take {:.3f} s (is "
      "something else running on its machine?)",
      suspect_, per_round_[static_cast<std::size_t>(suspect_)], median_of(others));
}

int RankTimes::straggler(const std::vector<double>& seconds) {
  if (seconds.size() < 2) return -1;
  std::vector<double> others = seconds;
  const auto slowest = std::max_element(others.begin(), others.end());
  const auto rank = static_cast<int>(slowest - others.begin());
  const double its = *slowest;
  others.erase(slowest);
  return its > kClearly * median_of(others) ? rank : -1;
}

}  // namespace etude::train
