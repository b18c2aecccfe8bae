#include "models/kernels/gelu.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/tensor.h>

#include "tests/models/kernels/every_kernels.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;
using etude::testing::relative_error;

class Gelu : public etude::testing::EveryKernels {};
INSTANTIATE_TEST_SUITE_P(, Gelu, ::testing::ValuesIn(etude::testing::every_kernels()), etude::testing::kernels_name);

TEST_P(Gelu, EqualsPyTorchsTanhFormInValuesAndGradients) {
  for (const std::int64_t size : {1, 7, 16, 33, 1000}) {
    const at::Tensor values = random_normal({size}, 1, 3.0), direction = random_normal({size}, 2);
    const at::Tensor x = values.clone().requires_grad_(true);
    const at::Tensor same = values.to(at::kDouble).requires_grad_(true);
    const at::Tensor actual = models::gelu(x), expected = at::gelu(same, "tanh");
    EXPECT_LT(relative_error(actual, expected), 1e-6) << size;
    actual.mul(direction).sum().backward();
    expected.mul(direction.to(at::kDouble)).sum().backward();
    EXPECT_LT(relative_error(x.grad(), same.grad()), 2e-6) << size;
  }
}

TEST_P(Gelu, IsTheLineAndZeroFarOut) {
  const at::Tensor x = at::tensor({-1e30F, -300.0F, -30.0F, 30.0F, 300.0F, 1e30F}).requires_grad_(true);
  const at::Tensor y = models::gelu(x);
  y.sum().backward();
  for (int i = 0; i < 6; ++i) {
    if (i < 3) {
      EXPECT_NEAR(y[i].item<float>(), 0.0F, 1e-7F) << i;
    } else {
      EXPECT_FLOAT_EQ(y[i].item<float>(), x[i].item<float>()) << i;
    }
    EXPECT_NEAR(x.grad()[i].item<float>(), i < 3 ? 0.0F : 1.0F, 1e-7F) << i;
  }
}

TEST_P(Gelu, TakesBfloat16) {
  const at::Tensor x = random_normal({77}, 3).to(at::kBFloat16).requires_grad_(true);
  const at::Tensor same = x.detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor actual = models::gelu(x), expected = at::gelu(same, "tanh");
  EXPECT_EQ(actual.scalar_type(), at::kBFloat16);
  EXPECT_LT(relative_error(actual, expected), 4e-3);  // half of bfloat16's last place
  actual.sum().backward();
  expected.sum().backward();
  EXPECT_LT(relative_error(x.grad(), same.grad()), 4e-3);
}

}  // namespace
}  // namespace etude::models
