#include "models/kernels/dropout.h"

#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>

#include "models/kernels/philox.h"
#include "tests/models/kernels/every_kernels.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;

class Dropout : public etude::testing::EveryKernels {};
INSTANTIATE_TEST_SUITE_P(, Dropout, ::testing::ValuesIn(etude::testing::every_kernels()), etude::testing::kernels_name);

const DropoutKey kKey{.seed = 11, .step = 5, .grain = 2};

at::Tensor mask(const DropoutKey& key, std::uint32_t site, double rate = 0.5, std::int64_t size = 1 << 16) {
  return dropout(at::ones({size}, at::kFloat), rate, &key, site).ne(0);
}

/// How often two masks of independent halves agree, in standard deviations from one half.
double agreement(const at::Tensor& a, const at::Tensor& b) {
  const auto size = static_cast<double>(a.numel());
  return (a.eq(b).sum().item<double>() - size / 2) / std::sqrt(size / 4);
}

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  struct Case {
    std::uint32_t counter[4], key[2], answer[4];
  };
  const Case cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Case& known : cases) {
    std::uint32_t x[4] = {known.counter[0], known.counter[1], known.counter[2], known.counter[3]};
    philox(x, known.key[0], known.key[1]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(x[i], known.answer[i]);
  }
}

TEST_P(Dropout, DropsAtItsRateAndKeepsTheMean) {
  for (const double rate : {0.1, 0.25, 0.5, 0.9}) {
    const std::int64_t size = 1 << 20;
    const at::Tensor y = dropout(at::ones({size}, at::kFloat), rate, &kKey, 3);
    const double dropped = y.eq(0).sum().item<double>() / static_cast<double>(size);
    const double deviation = std::sqrt(rate * (1 - rate) / static_cast<double>(size));
    EXPECT_NEAR(dropped, rate, 5 * deviation) << rate;
    EXPECT_NEAR(y.max().item<double>(), 1 / (1 - rate), 1e-6) << rate;
    EXPECT_NEAR(y.mean().item<double>(), 1.0, 5 * deviation / (1 - rate)) << rate;
  }
}

TEST_P(Dropout, BackwardDropsWhatForwardDropped) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = random_normal({3, 7, 41}, 1).to(type).requires_grad_(true);
    const at::Tensor y = dropout(x, 0.3, &kKey, 1);
    y.sum().backward();
    const at::Tensor factors = y.detach().ne(0).to(at::kFloat).div(0.7).to(type);
    EXPECT_TRUE(at::equal(x.grad(), factors));
    EXPECT_EQ(y.scalar_type(), type);
    EXPECT_LT(etude::testing::relative_error(y.detach(), x.detach().mul(factors)), 1e-2);
  }
}

TEST_P(Dropout, IsTheSameForAnyNumberOfThreads) {
  const at::Tensor x = random_normal({1000, 333}, 2);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = dropout(x, 0.1, &kKey, 1);
  at::set_num_threads(4);
  const at::Tensor four = dropout(x, 0.1, &kKey, 1);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one, four));
}

TEST_P(Dropout, DependsOnThePlaceInTheContiguousLayoutAlone) {
  const at::Tensor x = random_normal({30, 50}, 3);
  const at::Tensor strided = x.t().contiguous().t();
  EXPECT_TRUE(at::equal(dropout(x, 0.5, &kKey, 1), dropout(strided, 0.5, &kKey, 1)));
  const at::Tensor prefix = mask(kKey, 1, 0.5, 777);
  EXPECT_TRUE(at::equal(prefix, mask(kKey, 1, 0.5, 100000).slice(0, 0, 777)));
}

// What every machine must agree on: Philox under the key that is Philox of (step, grain) under the seed, counted in
// groups of 128 elements whose 16-bit numbers lie in the order word, lane, half.
TEST_P(Dropout, DrawsTheNumbersThatItsDefinitionNames) {
  std::uint32_t hashed[4] = {5, 0, 2, 0};
  philox(hashed, 11, 0);
  const at::Tensor kept = mask(kKey, 9, 0.25, 1024);
  for (std::uint32_t element = 0; element < 1024; ++element) {
    const std::uint32_t within = element % 128, word = within / 32, lane = within % 32 / 2;
    std::uint32_t x[4] = {element / 128 * 16 + lane, 0, 9, hashed[2]};
    philox(x, hashed[0], hashed[1]);
    const std::uint32_t number = x[word] >> (within % 2 * 16) & 0xffff;
    ASSERT_EQ(kept[element].item<bool>(), number >= 16384) << element;
  }
}

TEST_P(Dropout, DrawsIndependentlyForEachSeedStepGrainAndSite) {
  const at::Tensor reference = mask(kKey, 1);
  DropoutKey seed = kKey, step = kKey, grain = kKey, late = kKey;
  seed.seed += 1;
  step.step += 1;
  grain.grain += 1;
  late.step += std::uint64_t{1} << 32;
  EXPECT_LT(std::abs(agreement(reference, mask(seed, 1))), 5);
  EXPECT_LT(std::abs(agreement(reference, mask(step, 1))), 5);
  EXPECT_LT(std::abs(agreement(reference, mask(grain, 1))), 5);
  EXPECT_LT(std::abs(agreement(reference, mask(late, 1))), 5);
  EXPECT_LT(std::abs(agreement(reference, mask(kKey, 2))), 5);
  for (const std::int64_t shift : {1, 2, 16, 128, 4096}) {
    EXPECT_LT(std::abs(agreement(reference.slice(0, 0, 60000), reference.slice(0, shift, 60000 + shift))), 5) << shift;
  }
}

TEST_P(Dropout, LeavesEverythingAloneWithoutKeyOrRate) {
  const at::Tensor x = random_normal({10}, 4);
  EXPECT_TRUE(at::equal(dropout(x, 0.5, nullptr, 1), x));
  EXPECT_TRUE(at::equal(dropout(x, 0.0, &kKey, 1), x));
}

}  // namespace
}  // namespace etude::models
