#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include "framework/parallel/float_sums.h"
#include "tests/framework/parallel/made_gradients.h"

namespace {

using namespace etude::parallel;
using etude::testing::made_gradient;
using etude::testing::tensor_of;

constexpr std::int64_t kValues = 1000, kAt = 17;

at::Tensor made(std::int64_t grain) { return tensor_of(made_gradient(grain, 0, kValues + kAt)); }

/// What a GPU adds with must round as the CPU's loops do, or its sums would not be those of the tree.
TEST(FloatSums, AreTheSameBitsByTheOperationsOfAnyDevice) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble}) {
    const at::Tensor gradient = tensor_of(made_gradient(1, 1, kValues)).view({10, 100}).to(type);
    const at::Tensor loops = made(2), operations = made(2);

    add_as_float({loops, kAt}, gradient);
    any_device::add_as_float({operations, kAt}, gradient);
    EXPECT_TRUE(operations.equal(loops)) << at::toString(type);
    EXPECT_FALSE(loops.equal(made(2)));

    copy_as_float({loops, 3}, gradient);
    any_device::copy_as_float({operations, 3}, gradient);
    EXPECT_TRUE(operations.equal(loops)) << at::toString(type);
    EXPECT_EQ(loops[2].item<float>(), made(2)[2].item<float>());  // and nothing before it
  }
}

TEST(FloatSums, OfTwoStretchesLikewise) {
  const at::Tensor right = made(4);
  const at::Tensor loops = made(3), operations = made(3);
  add({loops, kAt}, {loops, kAt}, {right, 5}, kValues);
  any_device::add({operations, kAt}, {operations, kAt}, {right, 5}, kValues);
  EXPECT_TRUE(operations.equal(loops));
  EXPECT_EQ(loops[kAt].item<float>(), made(3)[kAt].item<float>() + right[5].item<float>());
  EXPECT_EQ(loops[kAt - 1].item<float>(), made(3)[kAt - 1].item<float>());
}

}  // namespace
