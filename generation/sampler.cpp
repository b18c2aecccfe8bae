#include "generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::generation {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void penalise(std::span<float> logits, std::span<const data::TokenId> context, double penalty) {
  std::vector<bool> seen(logits.size(), false);
  for (const data::TokenId token : context) {
    const auto id = static_cast<std::size_t>(token);
    if (seen[id]) continue;
    seen[id] = true;
    logits[id] = static_cast<float>(logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty);
  }
}

}  // namespace

void check(const SamplingOptions& options) {
  const auto refuse = [](const char* flag, double value, const char* range) {
    throw UsageError(fmt::format("{} is {}; it must be {}", flag, value, range));
  };
  if (!(options.temperature >= 0 && options.temperature <= 100))
    refuse("--temperature", options.temperature, "0 to 100");
  if (options.top_k < 0) refuse("--top-k", static_cast<double>(options.top_k), "0 (all) or more");
  if (!(options.top_p > 0 && options.top_p <= 1)) refuse("--top-p", options.top_p, "above 0 and at most 1");
  if (!(options.repetition_penalty >= 1 && options.repetition_penalty <= 100)) {
    refuse("--repetition-penalty", options.repetition_penalty, "1 (none) to 100");
  }
}

data::TokenId sample(std::span<float> logits, const std::vector<bool>& allowed, std::span<const data::TokenId> context,
                     const SamplingOptions& options, double uniform) {
  if (options.repetition_penalty != 1.0) penalise(logits, context, options.repetition_penalty);
  if (!allowed.empty()) {
    for (std::size_t id = 0; id < logits.size(); ++id) {
      if (!allowed[id]) logits[id] = kNever;
    }
  }
  // Likeliest first; of equals the lower id, so that the order does not depend on the sort.
  std::vector<data::TokenId> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto likelier = [&](data::TokenId a, data::TokenId b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  if (options.temperature == 0) return *std::min_element(order.begin(), order.end(), likelier);
  std::sort(order.begin(), order.end(), likelier);
  if (options.top_k > 0 && options.top_k < std::ssize(order)) order.resize(static_cast<std::size_t>(options.top_k));

  const double highest = logits[static_cast<std::size_t>(order.front())];
  std::vector<double> weight(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    weight[i] = std::exp((logits[static_cast<std::size_t>(order[i])] - highest) / options.temperature);
  }
  double kept = std::accumulate(weight.begin(), weight.end(), 0.0);
  if (options.top_p < 1.0) {
    const double enough = options.top_p * kept;
    double sum = 0;
    std::size_t count = 0;
    while (count < weight.size() && sum < enough) sum += weight[count++];
    weight.resize(count);
    kept = sum;
  }
  double left = uniform * kept;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    left -= weight[i];
    if (left < 0) return order[i];
  }
  // Rounding used up nothing less than everything: the last token that had any weight.
  for (std::size_t i = weight.size(); i > 0; --i) {
    if (weight[i - 1] > 0) return order[i - 1];
  }
  return order.front();
}

}  // namespace etude::generation
