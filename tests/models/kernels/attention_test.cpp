#include "models/kernels/attention.h"

#include <cmath>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>

#include "tests/models/kernels/every_kernels.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;
using etude::testing::relative_error;

class Attention : public etude::testing::EveryKernels {};
INSTANTIATE_TEST_SUITE_P(, Attention, ::testing::ValuesIn(etude::testing::every_kernels()),
                         etude::testing::kernels_name);

const DropoutKey kKey{.seed = 7, .step = 1, .grain = 3};

/// The plain expression, in float64, with the mask that dropout() gives for rows of a multiple of 128.
at::Tensor plain_attention(const at::Tensor& qkv, std::int64_t heads, double rate, std::uint32_t site) {
  const std::int64_t batch = qkv.size(0), time = qkv.size(1), width = qkv.size(2) / 3;
  const at::Tensor parts = qkv.to(at::kDouble).view({batch, time, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
  const at::Tensor scores =
      at::matmul(parts[0], parts[1].transpose(-1, -2)).div(std::sqrt(static_cast<double>(width / heads)));
  const at::Tensor future = at::ones({time, time}, at::kBool).triu(1);
  at::Tensor probabilities = at::softmax(scores.masked_fill(future, -std::numeric_limits<double>::infinity()), -1);
  if (rate > 0) {
    const at::Tensor ones = at::ones({batch, heads, time, (time + 127) / 128 * 128}, at::kFloat);
    probabilities = probabilities.mul(dropout(ones, rate, &kKey, site).slice(-1, 0, time).to(at::kDouble));
  }
  return at::matmul(probabilities, parts[2]).transpose(1, 2).reshape({batch, time, width});
}

struct Case {
  std::int64_t batch, time, heads, head_width;
};
// One query, fewer than a vector, around the sizes of blocks and groups, odd head widths.
const Case kCases[] = {{1, 1, 1, 4},   {2, 5, 3, 7},    {1, 16, 2, 8},   {2, 63, 1, 5},
                       {1, 65, 2, 16}, {2, 130, 3, 12}, {1, 300, 2, 32}, {1, 97, 1, 80}};

TEST_P(Attention, EqualsThePlainExpressionInValuesAndGradients) {
  for (const Case& shape : kCases) {
    for (const double rate : {0.0, 0.3}) {
      SCOPED_TRACE(::testing::Message() << shape.time << " tokens, rate " << rate);
      const std::int64_t width = shape.heads * shape.head_width;
      const at::Tensor values = random_normal({shape.batch, shape.time, 3 * width}, 1, 2.0);
      const at::Tensor direction = random_normal({shape.batch, shape.time, width}, 2);
      const at::Tensor qkv = values.clone().requires_grad_(true), same = values.clone().requires_grad_(true);
      const at::Tensor actual = causal_attention(qkv, shape.heads, rate, &kKey, 4);
      const at::Tensor expected = plain_attention(same, shape.heads, rate, 4);
      EXPECT_LT(relative_error(actual, expected), 1e-5);
      actual.mul(direction).sum().backward();
      expected.mul(direction).sum().backward();
      EXPECT_LT(relative_error(qkv.grad(), same.grad()), 1e-5);
    }
  }
}

TEST_P(Attention, StaysFiniteForScoresThatDwarfEachOther) {
  const at::Tensor qkv = random_normal({1, 40, 24}, 1, 60.0).requires_grad_(true);
  const at::Tensor actual = causal_attention(qkv, 1, 0.0, nullptr, 0);
  EXPECT_LT(relative_error(actual, plain_attention(qkv, 1, 0.0, 0)), 1e-4);
  actual.sum().backward();
  EXPECT_TRUE(qkv.grad().isfinite().all().item<bool>());
}

TEST_P(Attention, IsTheSameForAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  std::vector<at::Tensor> values, gradients;
  for (const int count : {1, 4}) {
    at::set_num_threads(count);
    const at::Tensor qkv = random_normal({2, 150, 96}, 5).requires_grad_(true);
    values.push_back(causal_attention(qkv, 4, 0.1, &kKey, 1));
    values.back().square().sum().backward();
    gradients.push_back(qkv.grad());
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(values[0], values[1]));
  EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
}

TEST_P(Attention, TakesBfloat16) {
  const at::Tensor values = random_normal({2, 70, 48}, 5).to(at::kBFloat16);
  const at::Tensor qkv = values.clone().requires_grad_(true), same = values.clone().requires_grad_(true);
  const at::Tensor actual = causal_attention(qkv, 2, 0.1, &kKey, 1), expected = plain_attention(same, 2, 0.1, 1);
  EXPECT_EQ(actual.scalar_type(), at::kBFloat16);
  EXPECT_LT(relative_error(actual, expected), 1e-2);
  actual.sum().backward();
  expected.sum().backward();
  EXPECT_EQ(qkv.grad().scalar_type(), at::kBFloat16);
  EXPECT_LT(relative_error(qkv.grad(), same.grad()), 1e-2);
}

}  // namespace
}  // namespace etude::models
