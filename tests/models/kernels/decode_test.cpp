#include <ATen/ops/add.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include "models/kernels/packed_matrix.h"
#include "tests/models/kernels/every_kernels.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_normal;
using etude::testing::relative_error;

class Decode : public etude::testing::EveryKernels {};
INSTANTIATE_TEST_SUITE_P(, Decode, ::testing::ValuesIn(etude::testing::every_kernels()), etude::testing::kernels_name);

float* data(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }
at::Tensor wide(const at::Tensor& x) { return x.to(at::kDouble); }

struct Product {
  std::int64_t rows, in, out;
};
// Fewer columns than a panel, whole panels, more; as many rows as a tile and others.
const Product kProducts[] = {{1, 7, 5},   {2, 33, 32},  {3, 64, 70},  {6, 20, 96},
                             {12, 5, 33}, {13, 31, 64}, {31, 48, 100}};

TEST_P(Decode, PackedProductsEqualPyTorchsAndLeaveTheRestOfAPanelEmpty) {
  for (const Product& shape : kProducts) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      SCOPED_TRACE(fmt::format("{} rows, {} to {}, {}", shape.rows, shape.in, shape.out, c10::toString(type)));
      const at::Tensor weight = random_normal({shape.in, shape.out}, 1).to(type), bias = random_normal({shape.out}, 2);
      const at::Tensor x = random_normal({shape.rows, shape.in + 3}, 3), before = random_normal({shape.rows, 128}, 4);
      const PackedMatrix packed(weight, bias);
      const at::Tensor expected = at::addmm(wide(bias), wide(x.narrow(1, 0, shape.in)), wide(weight));
      const at::Tensor old = before.narrow(1, 0, packed.stride()).contiguous();
      for (const Then then : {Then::kStore, Then::kGelu, Then::kAdd}) {
        const at::Tensor y = old.clone();
        packed.multiply(data(x), x.stride(0), shape.rows, data(y), then);
        const at::Tensor own = y.narrow(1, 0, shape.out), rest = y.slice(1, shape.out);
        const at::Tensor was = old.narrow(1, 0, shape.out);
        EXPECT_LT(relative_error(own, then == Then::kGelu  ? at::gelu(expected, "tanh")
                                      : then == Then::kAdd ? expected.add(wide(was))
                                                           : expected),
                  1e-6);
        EXPECT_TRUE(at::equal(rest, then == Then::kAdd ? old.slice(1, shape.out) : at::zeros_like(rest)));
      }
    }
  }
}

TEST_P(Decode, ARowsBitsDoNotDependOnTheRowsBesideIt) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const PackedMatrix packed(random_normal({50, 70}, 1).to(type), random_normal({70}, 2));
    const at::Tensor x = random_normal({29, 50}, 3), together = at::zeros({29, packed.stride()});
    packed.multiply(data(x), 50, 29, data(together));
    for (const std::int64_t rows : {1, 2, 3, 5, 11}) {
      for (std::int64_t first = 0; first + rows <= 29; first += rows) {
        const at::Tensor apart = at::zeros({rows, packed.stride()});
        packed.multiply(data(x) + first * 50, 50, rows, data(apart));
        EXPECT_TRUE(at::equal(apart, together.narrow(0, first, rows))) << rows << " rows from " << first;
      }
    }
  }
}

TEST_P(Decode, NormalisesAsPyTorch) {
  for (const std::int64_t width : {1, 7, 16, 24, 33, 256}) {
    const at::Tensor x = random_normal({width}, 1, 3.0).add(2.0), weight = random_normal({width}, 2),
                     bias = random_normal({width}, 3), y = at::zeros({width});
    kernels().decode.normalise(data(x), width, data(weight), data(bias), 1e-5F, data(y));
    EXPECT_LT(relative_error(y, at::layer_norm(wide(x), {width}, wide(weight), wide(bias), 1e-5)), 2e-6) << width;
  }
}

/// Keys [context, width] as panels of positions, or values as panels of columns.
at::Tensor panels(const at::Tensor& rows) {
  const std::int64_t count = (rows.size(1) + kPanelColumns - 1) / kPanelColumns;
  const at::Tensor padded = at::zeros({rows.size(0), count * kPanelColumns});
  padded.narrow(1, 0, rows.size(1)).copy_(rows);
  return padded.view({rows.size(0), count, kPanelColumns}).transpose(0, 1).contiguous();
}

TEST_P(Decode, AttendsToTheCacheAsPyTorch) {
  constexpr std::int64_t kContext = 75;
  for (const std::int64_t width : {1, 5, 32, 40}) {
    const at::Tensor keys = random_normal({kContext, width}, 1), values = random_normal({kContext, width}, 2);
    const at::Tensor key_panels = panels(keys.t()), value_panels = panels(values);
    for (const std::int64_t before : {0, 1, 31, 40}) {
      for (const std::int64_t count : {1, 2, 7, 13, 33}) {
        SCOPED_TRACE(fmt::format("width {}, {} queries after {}", width, count, before));
        const at::Tensor queries = random_normal({count, width + 2}, 3), out = at::zeros({count, width});
        const at::Tensor scratch = at::zeros({kernels().decode.scratch(kContext, width)});
        kernels().decode.attend({.count = count,
                                 .seen = before + 1,
                                 .context = kContext,
                                 .head_width = width,
                                 .queries = data(queries),
                                 .query_stride = width + 2,
                                 .keys = data(key_panels),
                                 .values = data(value_panels),
                                 .output = data(out),
                                 .output_stride = width,
                                 .scratch = data(scratch)});
        const auto batched = [](const at::Tensor& x) { return wide(x).unsqueeze(0).unsqueeze(0); };
        const at::Tensor mask = at::ones({count, before + count}, at::kBool).tril(before);
        const at::Tensor expected = at::scaled_dot_product_attention(
            batched(queries.narrow(1, 0, width)), batched(keys.narrow(0, 0, before + count)),
            batched(values.narrow(0, 0, before + count)), mask);
        EXPECT_LT(relative_error(out, expected[0][0]), 2e-6);
      }
    }
  }
}

}  // namespace
}  // namespace etude::models
