// What GPUs compute with, tried on the CPU: LibTorch's kernels must do what those of our own do.
#include "models/kernels/gpu.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "models/kernels/attention.h"
#include "models/kernels/cross_entropy.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;
using etude::testing::relative_error;

TEST(KernelsForGpus, AttentionIsThatOfTheCpu) {
  const at::Tensor here = random_normal({2, 37, 3 * 24}, 1).requires_grad_(true);
  const at::Tensor there = here.detach().clone().requires_grad_(true);
  const at::Tensor weights = random_normal({2, 37, 24}, 2);
  const at::Tensor expected = causal_attention(here, 3, 0.0, nullptr, 0);
  const at::Tensor found = on_gpu::causal_attention(there, 3, 0.0, nullptr, 0);
  EXPECT_LT(relative_error(found.detach(), expected.detach()), 1e-5);
  (expected * weights).sum().backward();
  (found * weights).sum().backward();
  EXPECT_LT(relative_error(there.grad(), here.grad()), 1e-5);
}

TEST(KernelsForGpus, CrossEntropyIsThatOfTheCpu) {
  const at::Tensor targets = etude::testing::random_tokens({30}, 50, 1);
  targets[3] = kIgnoredTarget;
  for (const double smoothing : {0.0, 0.1}) {
    std::vector<at::Tensor> here{random_normal({30, 24}, 2), random_normal({50, 24}, 3), random_normal({50}, 4)}, there;
    for (at::Tensor& x : here) there.push_back(x.requires_grad_(true).detach().clone().requires_grad_(true));
    const at::Tensor expected = linear_cross_entropy(here[0], here[1], here[2], targets, smoothing);
    const at::Tensor found = on_gpu::linear_cross_entropy(there[0], there[1], there[2], targets, smoothing);
    EXPECT_LT(relative_error(found.detach(), expected.detach()), 1e-6);
    expected.backward();
    found.backward();
    for (std::size_t i = 0; i < here.size(); ++i) EXPECT_LT(relative_error(there[i].grad(), here[i].grad()), 1e-5);
  }
}

TEST(KernelsForGpus, WhatIsDroppedIsAFunctionOfTheKeyAndThePlace) {
  const at::Tensor x = at::ones({100, 100});
  const DropoutKey key{1, 2, 3};
  const at::Tensor first = on_gpu::dropout(x, 0.25, key, 4);
  EXPECT_TRUE(on_gpu::dropout(x, 0.25, key, 4).equal(first));
  EXPECT_FALSE(on_gpu::dropout(x, 0.25, key, 5).equal(first));
  for (const DropoutKey& other : {DropoutKey{2, 2, 3}, DropoutKey{1, 1, 3}, DropoutKey{1, 2, 4}, DropoutKey{2, 1, 3}}) {
    EXPECT_FALSE(on_gpu::dropout(x, 0.25, other, 4).equal(first));
  }
  // 10,000 draws of one in four: the standard deviation is 43.
  EXPECT_NEAR(first.eq(0).sum().item<double>(), 2500, 6 * 43);
  EXPECT_NEAR(first.max().item<double>(), 4.0 / 3, 1e-6);

  const at::Tensor qkv = random_normal({2, 16, 3 * 8}, 1);
  const at::Tensor attended = on_gpu::causal_attention(qkv, 2, 0.25, &key, 4);
  EXPECT_TRUE(on_gpu::causal_attention(qkv, 2, 0.25, &key, 4).equal(attended));
  EXPECT_FALSE(on_gpu::causal_attention(qkv, 2, 0.25, &key, 5).equal(attended));
}

}  // namespace
}  // namespace etude::models
