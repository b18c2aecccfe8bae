#include "models/kernels/cross_entropy.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/mm.h>

#include "framework/config/error.h"
#include "tests/models/kernels/every_kernels.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;
using etude::testing::random_tokens;
using etude::testing::relative_error;

class CrossEntropy : public etude::testing::EveryKernels {};
INSTANTIATE_TEST_SUITE_P(, CrossEntropy, ::testing::ValuesIn(etude::testing::every_kernels()),
                         etude::testing::kernels_name);

at::Tensor plain(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets, double smoothing) {
  return at::cross_entropy_loss(at::mm(hidden, weight.t()), targets, {}, at::Reduction::Sum, kIgnoredTarget, smoothing);
}

TEST_P(CrossEntropy, EqualsPyTorchsInValuesAndGradients) {
  struct Case {
    std::int64_t rows, vocabulary;
  };
  // One row, fewer words than a vector, a vocabulary that is no multiple of one, rows that are cut twice.
  for (const auto& [rows, vocabulary] : {Case{1, 3}, Case{7, 16}, Case{40, 357}, Case{100, 30000}}) {
    for (const double smoothing : {0.0, 0.1}) {
      SCOPED_TRACE(::testing::Message() << rows << " rows, " << vocabulary << " words, smoothing " << smoothing);
      at::Tensor targets = random_tokens({rows}, vocabulary, 1);
      if (rows > 1) targets.slice(0, 1, rows, 3).fill_(kIgnoredTarget);
      const at::Tensor hidden = random_normal({rows, 24}, 2).requires_grad_(true);
      const at::Tensor weight = random_normal({vocabulary, 24}, 3).requires_grad_(true);
      const at::Tensor same_hidden = hidden.detach().to(at::kDouble).requires_grad_(true);
      const at::Tensor same_weight = weight.detach().to(at::kDouble).requires_grad_(true);
      const at::Tensor bias = random_normal({vocabulary}, 4).requires_grad_(true);
      const at::Tensor same_bias = bias.detach().to(at::kDouble).requires_grad_(true);
      const at::Tensor actual = linear_cross_entropy(hidden, weight, bias, targets, smoothing);
      const at::Tensor expected = at::cross_entropy_loss(at::mm(same_hidden, same_weight.t()) + same_bias, targets, {},
                                                         at::Reduction::Sum, kIgnoredTarget, smoothing);
      EXPECT_EQ(actual.scalar_type(), at::kFloat);
      EXPECT_LT(relative_error(actual, expected), 3e-6);
      (actual * 0.25).backward();
      (expected * 0.25).backward();
      EXPECT_LT(relative_error(hidden.grad(), same_hidden.grad()), 1e-5);
      EXPECT_LT(relative_error(weight.grad(), same_weight.grad()), 1e-5);
      EXPECT_LT(relative_error(bias.grad(), same_bias.grad()), 1e-5);
    }
  }
}

TEST_P(CrossEntropy, StaysFiniteForLogitsThatDwarfEachOther) {
  const at::Tensor hidden = random_normal({5, 8}, 1, 1e4).requires_grad_(true), weight = random_normal({20, 8}, 2);
  const at::Tensor targets = random_tokens({5}, 20, 3);
  const at::Tensor loss = linear_cross_entropy(hidden, weight, {}, targets, 0.0);
  EXPECT_LT(relative_error(loss, plain(hidden.to(at::kDouble), weight.to(at::kDouble), targets, 0.0)), 1e-5);
  loss.backward();
  EXPECT_TRUE(hidden.grad().isfinite().all().item<bool>());
}

TEST_P(CrossEntropy, TellsOfWhatIsNotANumber) {
  const at::Tensor hidden = random_normal({3, 8}, 1), weight = random_normal({20, 8}, 2);
  hidden[1][2].fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(linear_cross_entropy(hidden, weight, {}, random_tokens({3}, 20, 3), 0.0).isnan().item<bool>());
}

TEST_P(CrossEntropy, IsZeroWhereNothingCounts) {
  const at::Tensor hidden = random_normal({4, 8}, 1).requires_grad_(true), weight = random_normal({9, 8}, 2);
  const at::Tensor targets = at::full_like(random_tokens({4}, 9, 3), kIgnoredTarget);
  const at::Tensor loss = linear_cross_entropy(hidden, weight, {}, targets, 0.1);
  loss.backward();
  EXPECT_EQ(loss.item<float>(), 0.0F);
  EXPECT_EQ(hidden.grad().abs().max().item<float>(), 0.0F);
}

TEST_P(CrossEntropy, TakesBfloat16Weights) {
  const at::Tensor hidden = random_normal({30, 32}, 1).requires_grad_(true);
  const at::Tensor weight = random_normal({50, 32}, 2).to(at::kBFloat16).requires_grad_(true);
  const at::Tensor same_hidden = hidden.detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor same_weight = weight.detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor targets = random_tokens({30}, 50, 3);
  const at::Tensor actual = linear_cross_entropy(hidden, weight, {}, targets, 0.0);
  const at::Tensor expected = plain(same_hidden, same_weight, targets, 0.0);
  EXPECT_LT(relative_error(actual, expected), 5e-3);
  actual.backward();
  expected.backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kBFloat16);
  EXPECT_LT(relative_error(hidden.grad(), same_hidden.grad()), 1e-2);
  EXPECT_LT(relative_error(weight.grad(), same_weight.grad()), 1e-2);
}

TEST(LinearCrossEntropy, NamesATargetOutsideTheVocabulary) {
  const at::Tensor hidden = random_normal({2, 8}, 1), weight = random_normal({9, 8}, 2);
  at::Tensor targets = random_tokens({2}, 9, 3);
  targets[1].fill_(9);
  EXPECT_THROW(linear_cross_entropy(hidden, weight, {}, targets, 0.0), Error);
}

}  // namespace
}  // namespace etude::models
