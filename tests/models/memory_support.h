#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "models/model.h"
#include "tests/models/support.h"

namespace etude::testing {

/// What a model says of the segments of `tokens` [lanes, segments * length], one after the other.
struct Walk {
  std::vector<at::Tensor> hidden;
  models::Memory memory;
};

inline Walk walk(models::Model& model, const at::Tensor& tokens, std::int64_t length,
                 std::optional<std::int64_t> memory_length = std::nullopt) {
  Walk walk{.hidden = {}, .memory = model.initial_memory(tokens.size(0), memory_length)};
  for (const at::Tensor& segment : tokens.split(length, 1)) {
    walk.hidden.push_back(model.hidden(segment, walk.memory, nullptr));
  }
  return walk;
}

/// The lanes of `model` do not hear each other, and one that begins a piece has forgotten the one before: walks two
/// lanes, of which one begins anew after two of `segments` segments, and compares with walks alone. The same bits.
inline void expect_lanes_apart(models::Model& model, std::int64_t vocabulary, std::int64_t length) {
  const at::NoGradGuard no_gradient;
  constexpr std::int64_t kSegments = 5, kAnew = 2;
  const at::Tensor tokens = random_tokens({2, kSegments * length}, vocabulary, 11);
  models::Memory memory = model.initial_memory(2);
  std::vector<at::Tensor> together;
  for (std::int64_t i = 0; i < kSegments; ++i) {
    if (i == kAnew) memory.heard[1] = 0;
    together.push_back(model.hidden(tokens.narrow(1, i * length, length), memory, nullptr));
  }
  EXPECT_EQ(memory.heard, (std::vector<std::int64_t>{kSegments * length, (kSegments - kAnew) * length}));

  // Another first piece in the second lane, another companion: nothing of it may be heard.
  at::Tensor others = random_tokens({2, kSegments * length}, vocabulary, 12);
  others[1]
      .narrow(0, kAnew * length, (kSegments - kAnew) * length)
      .copy_(tokens[1].narrow(0, kAnew * length, (kSegments - kAnew) * length));
  memory = model.initial_memory(2);
  for (std::int64_t i = 0; i < kSegments; ++i) {
    if (i == kAnew) memory.heard[1] = 0;
    const at::Tensor hidden = model.hidden(others.narrow(1, i * length, length), memory, nullptr);
    if (i < kAnew) continue;
    EXPECT_TRUE(hidden[1].equal(together[static_cast<std::size_t>(i)][1])) << "segment " << i;
  }
  // And as if it had been a lane's first.
  const Walk alone = walk(model, tokens.narrow(1, kAnew * length, (kSegments - kAnew) * length).contiguous(), length);
  for (std::int64_t i = kAnew; i < kSegments; ++i) {
    EXPECT_LT(
        relative_error(together[static_cast<std::size_t>(i)][1], alone.hidden[static_cast<std::size_t>(i - kAnew)][1]),
        1e-5);
  }
  // What was heard before in the piece does matter.
  EXPECT_GT(
      relative_error(model.hidden(tokens.narrow(1, 4 * length, length), memory = model.initial_memory(2), nullptr)[0],
                     together[4][0]),
      1e-3);
}

/// A replica learns as the model does, with the model's weights.
inline void expect_replica(models::Model& model, std::int64_t vocabulary, std::int64_t length) {
  const auto replica = model.replica();
  const at::Tensor tokens = random_tokens({2, length}, vocabulary, 5);
  std::vector<std::vector<at::Tensor>> gradients;
  for (models::Model* each : {&model, replica.get()}) {
    models::Memory memory = each->initial_memory(2);
    each->loss_sum(each->hidden(tokens, memory, nullptr), tokens, 0.0).backward();
    auto& own = gradients.emplace_back();
    for (const models::Parameter& parameter : each->parameters()) own.push_back(parameter.value.grad());
  }
  ASSERT_EQ(model.parameters().size(), replica->parameters().size());
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    const std::string& name = model.parameters()[i].name;
    EXPECT_EQ(name, replica->parameters()[i].name);
    EXPECT_EQ(model.parameters()[i].value.data_ptr(), replica->parameters()[i].value.data_ptr()) << name;
    ASSERT_EQ(gradients[0][i].defined(), gradients[1][i].defined()) << name;
    if (!gradients[0][i].defined()) continue;
    EXPECT_NE(gradients[0][i].data_ptr(), gradients[1][i].data_ptr()) << name;
    EXPECT_TRUE(gradients[0][i].equal(gradients[1][i])) << name;
  }
}

/// Weights held in bfloat16 change little.
inline void expect_close_in_bfloat16(models::Model& model, std::int64_t vocabulary, std::int64_t length) {
  const at::NoGradGuard no_gradient;
  const at::Tensor tokens = random_tokens({2, 3 * length}, vocabulary, 6);
  const at::Tensor before = walk(model, tokens, length).hidden.back();
  models::set_matrix_dtype(model, at::kBFloat16);
  const Walk after = walk(model, tokens, length);
  EXPECT_EQ(after.hidden.back().scalar_type(), at::kFloat);
  for (const at::Tensor& tensor : after.memory.tensors) EXPECT_EQ(tensor.scalar_type(), at::kFloat);
  EXPECT_LT(relative_error(after.hidden.back(), before), 0.05);
  EXPECT_FALSE(after.hidden.back().equal(before));
}

}  // namespace etude::testing
