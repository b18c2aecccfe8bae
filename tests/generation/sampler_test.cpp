#include "generation/sampler.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"

namespace etude::generation {
namespace {

using ::testing::ElementsAre;
using Frequencies = std::vector<int>;

constexpr int kDraws = 20'000;

/// Logits are overwritten by a draw; here it has its own.
data::TokenId draw(std::vector<float> logits, const SamplingOptions& options, double uniform,
                   const std::vector<bool>& allowed = {}, const std::vector<data::TokenId>& context = {}) {
  return Sampler(options).draw(logits, allowed, context, uniform);
}

/// Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 2, 0, 3, 1.
std::vector<float> example() { return {std::log(0.3f), std::log(0.1f), std::log(0.4f), std::log(0.2f)}; }

/// How often each token comes when `uniform` goes evenly through [0, 1).
Frequencies frequencies(const std::vector<float>& logits, const SamplingOptions& options,
                        const std::vector<bool>& allowed = {}, const std::vector<data::TokenId>& context = {}) {
  Frequencies found(logits.size());
  for (int i = 0; i < kDraws; ++i) {
    ++found[static_cast<std::size_t>(draw(logits, options, (i + 0.5) / kDraws, allowed, context))];
  }
  return found;
}

/// Within one draw at each end of a token's share.
void expect_shares(const Frequencies& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i] * kDraws, 1.01) << "token " << i;
}

TEST(Sampler, DrawsTokensAsOftenAsTheyAreLikely) { expect_shares(frequencies(example(), {}), {0.3, 0.1, 0.4, 0.2}); }

TEST(Sampler, RandomNumbersGiveTheSameSharesAsFarAsChanceAllows) {
  // 99.99 % of chi-square with three degrees of freedom lies below 21.1.
  const std::vector<double> expected{0.3, 0.1, 0.4, 0.2};
  std::uint64_t state = 1;
  Frequencies found(4);
  for (int i = 0; i < kDraws; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    ++found[static_cast<std::size_t>(draw(example(), {}, static_cast<double>(state >> 11) * 0x1p-53))];
  }
  double chi_square = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double mean = expected[i] * kDraws;
    chi_square += (found[i] - mean) * (found[i] - mean) / mean;
  }
  EXPECT_LT(chi_square, 21.1);
}

TEST(Sampler, TemperatureIsThePowerOfTheProbabilities) {
  // Temperature 1/2 squares them: 9, 1, 16, 4 of 30. Temperature 0 takes the likeliest.
  expect_shares(frequencies(example(), {.temperature = 0.5}), {9 / 30., 1 / 30., 16 / 30., 4 / 30.});
  expect_shares(frequencies(example(), {.temperature = 0}), {0, 0, 1, 0});
  EXPECT_EQ(draw({1, 5, 5, 2}, {.temperature = 0}, 0.9), 1);  // the lower of two equals
}

TEST(Sampler, TopKKeepsTheKLikeliest) {
  expect_shares(frequencies(example(), {.top_k = 2}), {3 / 7., 0, 4 / 7., 0});
  expect_shares(frequencies(example(), {.top_k = 1}), {0, 0, 1, 0});
  expect_shares(frequencies(example(), {.top_k = 4}), {0.3, 0.1, 0.4, 0.2});
  expect_shares(frequencies(example(), {.top_k = 100}), {0.3, 0.1, 0.4, 0.2});
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  expect_shares(frequencies(example(), {.top_p = 0.39}), {0, 0, 1, 0});
  expect_shares(frequencies(example(), {.top_p = 0.41}), {3 / 7., 0, 4 / 7., 0});
  expect_shares(frequencies(example(), {.top_p = 0.69}), {3 / 7., 0, 4 / 7., 0});
  expect_shares(frequencies(example(), {.top_p = 0.71}), {3 / 9., 0, 4 / 9., 2 / 9.});
  expect_shares(frequencies(example(), {.top_p = 1e-9}), {0, 0, 1, 0});  // never none
  expect_shares(frequencies(example(), {.top_p = 1}), {0.3, 0.1, 0.4, 0.2});
  // Powers of two: reached exactly, so not one more.
  expect_shares(frequencies({0, 0, 0, 0}, {.top_p = 0.5}), {0.5, 0.5, 0, 0});
}

TEST(Sampler, TopPLooksAtWhatTopKAndTemperatureLeft) {
  // The three likeliest squared are 16, 9 and 4 of 29; 16 + 9 reach 0.8 of them.
  expect_shares(frequencies(example(), {.temperature = 0.5, .top_k = 3, .top_p = 0.8}), {9 / 25., 0, 16 / 25., 0});
}

TEST(Sampler, ThePenaltyDividesLogitsAboveZeroAndMultipliesThoseBelow) {
  const std::vector<float> logits{2, -1, 0, 2};
  const std::vector<data::TokenId> context{0, 1, 1, 1, 0};  // how often a token stood there does not matter
  const Frequencies found = frequencies(logits, {.repetition_penalty = 2}, {}, context);
  const double sum = std::exp(1) + std::exp(-2) + std::exp(0) + std::exp(2);
  expect_shares(found, {std::exp(1) / sum, std::exp(-2) / sum, 1 / sum, std::exp(2) / sum});
}

TEST(Sampler, NeverDrawsWhatIsNotAllowed) {
  expect_shares(frequencies(example(), {}, {false, true, false, true}), {0, 1 / 3., 0, 2 / 3.});
  for (const SamplingOptions& options : {SamplingOptions{.temperature = 0}, SamplingOptions{.top_k = 3},
                                         SamplingOptions{.top_p = 0.999}, SamplingOptions{.temperature = 100}}) {
    expect_shares(frequencies(example(), options, {false, true, false, false}), {0, 1, 0, 0});
  }
  // Even where it is the only likely one, at both ends of [0, 1).
  for (const double uniform : {0.0, std::nextafter(1.0, 0.0)}) {
    EXPECT_EQ(draw({80, -80, 80, -90}, {}, uniform, {false, true, false, false}), 1);
  }
}

TEST(Sampler, RefusesOptionsOutOfRangeByTheirNames) {
  const auto said = [](const SamplingOptions& options) -> std::string {
    try {
      check(options);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "fine";
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using ::testing::HasSubstr;
  EXPECT_EQ(said({}), "fine");
  EXPECT_EQ(said({.temperature = 0, .top_k = 1, .top_p = 0.01, .repetition_penalty = 2}), "fine");
  for (const double bad : {-0.1, 101.0, nan}) EXPECT_THAT(said({.temperature = bad}), HasSubstr("--temperature"));
  EXPECT_THAT(said({.top_k = -1}), HasSubstr("--top-k"));
  for (const double bad : {0.0, 1.01, -1.0, nan}) EXPECT_THAT(said({.top_p = bad}), HasSubstr("--top-p"));
  for (const double bad : {0.9, 0.0, 101.0, nan}) {
    EXPECT_THAT(said({.repetition_penalty = bad}), HasSubstr("--repetition-penalty"));
  }
}

}  // namespace
}  // namespace etude::generation
