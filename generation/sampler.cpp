#include "generation/sampler.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::generation {
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

Sampler::Sampler(const SamplingOptions& options) : options_(options) { check(options); }

void Sampler::penalise(std::span<float> logits, std::span<const data::TokenId> context) {
  seen_.assign(logits.size(), false);
  for (const data::TokenId token : context) {
    const auto id = static_cast<std::size_t>(token);
    if (seen_[id]) continue;
    seen_[id] = true;
    const double penalty = options_.repetition_penalty;
    logits[id] = static_cast<float>(logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty);
  }
}

void Sampler::collect(std::span<const float> logits, const std::vector<bool>& allowed) {
  candidates_.clear();
  candidates_.reserve(logits.size());
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (allowed.empty() || allowed[id]) candidates_.push_back({logits[id], static_cast<data::TokenId>(id), 0});
  }
  if (options_.top_k <= 0 || options_.top_k >= std::ssize(candidates_)) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + options_.top_k - 1, candidates_.end(), likelier);
  candidates_.resize(static_cast<std::size_t>(options_.top_k));
}

double Sampler::weigh() {
  const double highest = std::min_element(candidates_.begin(), candidates_.end(), likelier)->logit;
  double sum = 0;
  for (Candidate& candidate : candidates_) {
    candidate.weight = std::exp((candidate.logit - highest) / options_.temperature);
    sum += candidate.weight;
  }
  return sum;
}

const Sampler::Candidate& Sampler::take(std::size_t left) {
  const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(left);
  std::pop_heap(candidates_.begin(), end, [](const Candidate& a, const Candidate& b) { return likelier(b, a); });
  return *(end - 1);
}

data::TokenId Sampler::draw(std::span<float> logits, const std::vector<bool>& allowed,
                            std::span<const data::TokenId> context, double uniform) {
  if (options_.repetition_penalty != 1.0) penalise(logits, context);
  collect(logits, allowed);
  if (options_.temperature == 0) return std::min_element(candidates_.begin(), candidates_.end(), likelier)->token;
  double kept = weigh();
  // A heap, since the likeliest few decide mostly: sorting all of them would cost more than the rest of the draw.
  std::make_heap(candidates_.begin(), candidates_.end(),
                 [](const Candidate& a, const Candidate& b) { return likelier(b, a); });
  std::size_t left = candidates_.size(), end = 0;  // [left, size) are taken; those from `end` on may be drawn
  if (options_.top_p < 1.0) {
    const double enough = options_.top_p * kept;
    kept = 0;
    while (left > 0 && kept < enough) kept += take(left--).weight;
    end = left;
  }
  double rest = uniform * kept;
  const Candidate* last = nullptr;  // that had any weight: rounding may use up nothing less than everything
  for (std::size_t i = candidates_.size(); i > end; --i) {
    if (i == left) take(left--);
    const Candidate& candidate = candidates_[i - 1];
    if (last == nullptr || candidate.weight > 0) last = &candidate;
    rest -= candidate.weight;
    if (rest < 0) break;
  }
  return last->token;
}

}  // namespace etude::generation
