#include "models/kernels/relative_attention.h"

#include <cmath>
#include <limits>

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "models/kernels/attention.h"
#include "models/kernels/gpu.h"
#include "tests/models/kernels/every_kernels.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;
using etude::testing::relative_error;

class RelativeAttentionKernels : public etude::testing::EveryKernels {};
INSTANTIATE_TEST_SUITE_P(, RelativeAttentionKernels, ::testing::ValuesIn(etude::testing::every_kernels()),
                         etude::testing::kernels_name);

const DropoutKey kKey{.seed = 7, .step = 1, .grain = 3};

/// Queries, keys and values of the segment, keys and values of the memory, r, u and v.
using Inputs = std::vector<at::Tensor>;

/// The definition, in float64: r is looked up for the distance between each query and each key.
at::Tensor plain_attention(const Inputs& inputs, const RelativeAttention& how) {
  const at::Tensor qkv = inputs[0].to(at::kDouble), memory = inputs[1].to(at::kDouble);
  const std::int64_t batch = qkv.size(0), time = qkv.size(1), width = qkv.size(2) / 3;
  const std::int64_t length = memory.size(1), keys = length + time, head_width = width / how.heads;
  const auto by_head = [&](const at::Tensor& x) {
    return x.view({batch, x.size(1), how.heads, head_width}).transpose(1, 2);
  };
  const at::Tensor all = at::cat({memory, qkv.narrow(2, width, 2 * width)}, 1);
  const at::Tensor k = by_head(all.narrow(2, 0, width)), v = by_head(all.narrow(2, width, width));
  const at::Tensor q = qkv.narrow(2, 0, width);
  const at::Tensor place = at::arange(keys, at::kLong);
  const at::Tensor distance = place.narrow(0, length, time).unsqueeze(1).sub(place);  // [time, keys]
  const at::Tensor r = inputs[2]
                           .to(at::kDouble)
                           .index_select(0, distance.clamp(0).mul(-1).add(keys - 1).view({-1}))
                           .view({time, keys, how.heads, head_width});
  const at::Tensor with_position = by_head(q.add(inputs[4].to(at::kDouble)));  // [batch, heads, time, head_width]
  const at::Tensor positions = at::matmul(r.permute({2, 0, 1, 3}), with_position.unsqueeze(-1)).squeeze(-1);
  const at::Tensor scores = at::matmul(by_head(q.add(inputs[3].to(at::kDouble))), k.transpose(2, 3))
                                .add(positions)
                                .div(std::sqrt(static_cast<double>(head_width)));
  at::Tensor hidden = distance.lt(0).expand({batch, 1, time, keys});
  if (how.window > 0) hidden = hidden.logical_or(distance.ge(how.window));
  hidden = hidden.logical_or(place.lt(at::tensor(how.first_key, at::kLong).view({-1, 1, 1, 1})));
  at::Tensor probabilities = at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), -1);
  if (how.rate > 0) {
    const at::Tensor ones = at::ones({batch, how.heads, time, (keys + 127) / 128 * 128}, at::kFloat);
    const at::Tensor mask = dropout(ones, how.rate, how.key, how.site).slice(-1, 0, keys);
    probabilities = probabilities.mul(mask.to(at::kDouble));
  }
  return at::matmul(probabilities, v).transpose(1, 2).reshape({batch, time, width});
}

at::Tensor attention(const Inputs& x, const RelativeAttention& how) {
  return relative_attention(x[0], x[1], x[2], x[3], x[4], how);
}

struct Case {
  std::int64_t batch, time, memory, heads, head_width;
};

Inputs random_inputs(const Case& shape, at::ScalarType type = at::kFloat) {
  const std::int64_t width = shape.heads * shape.head_width;
  Inputs inputs{random_normal({shape.batch, shape.time, 3 * width}, 1, 1.5),
                random_normal({shape.batch, shape.memory, 2 * width}, 2, 1.5),
                random_normal({shape.memory + shape.time, width}, 3, 1.5), random_normal({width}, 4),
                random_normal({width}, 5)};
  for (at::Tensor& input : inputs) input = input.to(type).requires_grad_(true);
  return inputs;
}
Inputs copies(const Inputs& inputs) {
  Inputs same;
  for (const at::Tensor& input : inputs) same.push_back(input.detach().clone().requires_grad_(true));
  return same;
}

void expect_equal(const Inputs& inputs, const RelativeAttention& how, double tolerance) {
  const Inputs same = copies(inputs);
  const at::Tensor actual = attention(inputs, how), expected = plain_attention(same, how);
  EXPECT_LT(relative_error(actual, expected), tolerance);
  const at::Tensor direction = random_normal(actual.sizes(), 9);
  actual.mul(direction).sum().backward();
  expected.mul(direction).sum().backward();
  const char* const names[] = {"qkv", "memory", "positions", "content bias", "position bias"};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].numel() == 0) continue;
    EXPECT_EQ(inputs[i].grad().scalar_type(), inputs[i].scalar_type());
    EXPECT_LT(relative_error(inputs[i].grad(), same[i].grad()), tolerance) << names[i];
  }
}

// No memory, one query, lengths around the sizes of tiles, blocks and groups and of none of them, odd head widths.
const Case kCases[] = {{1, 1, 0, 1, 4},    {2, 5, 3, 3, 7},      {1, 1, 40, 2, 8},
                       {2, 48, 64, 1, 16}, {2, 63, 31, 1, 5},    {1, 65, 130, 2, 16},
                       {3, 50, 97, 2, 12}, {1, 200, 131, 1, 32}, {2, 97, 20, 1, 80}};

TEST_P(RelativeAttentionKernels, EqualTheDefinitionInValuesAndGradients) {
  for (const Case& shape : kCases) {
    for (const double rate : {0.0, 0.3}) {
      SCOPED_TRACE(::testing::Message() << shape.time << " tokens after " << shape.memory << ", rate " << rate);
      const RelativeAttention how{.heads = shape.heads,
                                  .first_key = std::vector<std::int64_t>(static_cast<std::size_t>(shape.batch), 0),
                                  .rate = rate,
                                  .key = &kKey,
                                  .site = 4};
      expect_equal(random_inputs(shape), how, 2e-5);
    }
  }
}

TEST_P(RelativeAttentionKernels, LookNoFurtherBackThanWindowAndFirstKey) {
  const Case shape{4, 110, 75, 2, 9};
  for (const std::int64_t window : {0, 2, 17, 75, 76, 160}) {
    for (const double rate : {0.0, 0.2}) {
      SCOPED_TRACE(::testing::Message() << "a window of " << window << ", rate " << rate);
      const RelativeAttention how{
          .heads = 2, .first_key = {0, 75, 33, 74}, .window = window, .rate = rate, .key = &kKey, .site = 1};
      expect_equal(random_inputs(shape), how, 2e-5);
    }
  }
}

TEST_P(RelativeAttentionKernels, TakeNothingFromKeysThatAreNotThere) {
  const Inputs inputs = random_inputs({2, 20, 50, 2, 8}), same = copies(inputs);
  const RelativeAttention how{.heads = 2, .first_key = {50, 13}};
  {
    const at::NoGradGuard no_gradient;
    inputs[1].select(0, 0).fill_(std::numeric_limits<float>::quiet_NaN());
    inputs[1].select(0, 1).narrow(0, 0, 13).fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const at::Tensor actual = attention(inputs, how);
  EXPECT_LT(relative_error(actual, plain_attention(same, how)), 2e-5);
  actual.sum().backward();
  for (const at::Tensor& input : inputs) EXPECT_TRUE(input.grad().isfinite().all().item<bool>());
  EXPECT_EQ(inputs[1].grad().select(0, 0).abs().max().item<float>(), 0);
}

TEST_P(RelativeAttentionKernels, AreCausalAttentionWhereThereIsNeitherMemoryNorPosition) {
  Inputs inputs = random_inputs({2, 100, 0, 2, 16});
  for (std::size_t i = 2; i < 5; ++i) inputs[i] = at::zeros(inputs[i].sizes());
  const RelativeAttention how{.heads = 2, .first_key = {0, 0}, .rate = 0.1, .key = &kKey, .site = 2};
  EXPECT_LT(relative_error(attention(inputs, how), causal_attention(inputs[0], 2, 0.1, &kKey, 2)), 1e-6);
}

TEST_P(RelativeAttentionKernels, StayFiniteForScoresThatDwarfEachOther) {
  Inputs inputs = random_inputs({1, 40, 30, 1, 8});
  for (at::Tensor& input : inputs) input = input.detach().mul(30).requires_grad_(true);
  const RelativeAttention how{.heads = 1, .first_key = {0}};
  const at::Tensor actual = attention(inputs, how);
  EXPECT_LT(relative_error(actual, plain_attention(inputs, how)), 1e-3);
  actual.sum().backward();
  for (const at::Tensor& input : inputs) EXPECT_TRUE(input.grad().isfinite().all().item<bool>());
}

TEST_P(RelativeAttentionKernels, AreTheSameForAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  std::vector<Inputs> all;
  std::vector<at::Tensor> values;
  for (const int count : {1, 4}) {
    at::set_num_threads(count);
    all.push_back(random_inputs({3, 60, 50, 4, 24}));
    values.push_back(attention(
        all.back(), {.heads = 4, .first_key = {0, 20, 50}, .window = 70, .rate = 0.1, .key = &kKey, .site = 1}));
    values.back().square().sum().backward();
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(values[0], values[1]));
  for (std::size_t i = 0; i < all[0].size(); ++i) EXPECT_TRUE(at::equal(all[0][i].grad(), all[1][i].grad())) << i;
}

TEST_P(RelativeAttentionKernels, TakeBfloat16) {
  const RelativeAttention how{.heads = 2, .first_key = {0, 33}, .window = 80, .rate = 0.1, .key = &kKey, .site = 1};
  const Inputs inputs = random_inputs({2, 70, 45, 2, 24}, at::kBFloat16);
  EXPECT_EQ(attention(inputs, how).scalar_type(), at::kBFloat16);
  expect_equal(inputs, how, 2e-2);
}

TEST(RelativeAttentionOnGpus, IsTheSameExpression) {
  const Inputs x = random_inputs({2, 37, 25, 3, 8});
  const RelativeAttention how{.heads = 3, .first_key = {0, 11}, .window = 30, .rate = 0.2, .key = &kKey, .site = 4};
  EXPECT_LT(relative_error(on_gpu::relative_attention(x[0], x[1], x[2], x[3], x[4], how), plain_attention(x, how)),
            1e-5);
}

}  // namespace
}  // namespace etude::models
