#include <string>

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "framework/config/error.h"
#include "models/gpt2.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_tokens;
using etude::testing::relative_error;

constexpr std::int64_t kVocabulary = 37, kContext = 20;

Gpt2 small_model() {
  Gpt2 model({.layers = 2, .width = 24, .heads = 3, .dropout = 0.1}, kVocabulary, kContext, 3);
  etude::testing::shake(model, 5);
  return model;
}

at::Tensor last_logits(Gpt2& model, const at::Tensor& tokens) {
  const at::NoGradGuard no_gradient;
  Memory memory;
  return model.logits(model.hidden(tokens, memory, nullptr)).select(1, -1);
}

TEST(Decoder, EqualsAForwardPassOverEverythingSoFar) {
  Gpt2 model = small_model();
  const at::Tensor tokens = random_tokens({3, kContext}, kVocabulary, 1);
  const auto decoder = model.decoder(3);
  std::int64_t length = 0;
  for (const std::int64_t count : {4, 1, 1, 5, 1, 8}) {  // ends with a full cache
    const at::Tensor logits = decoder->advance(tokens.slice(1, length, length + count));
    length += count;
    EXPECT_LT(relative_error(logits, last_logits(model, tokens.slice(1, 0, length))), 1e-5) << length;
    EXPECT_EQ(decoder->room(), kContext - length);
    EXPECT_FALSE(logits.requires_grad());
  }
  EXPECT_THROW(decoder->advance(tokens.slice(1, 0, 1)), Error);
}

TEST(Decoder, GoesOnWithTheRowsThatAreSelected) {
  Gpt2 model = small_model();
  const at::Tensor tokens = random_tokens({4, 9}, kVocabulary, 2), rows = at::tensor({3, 1}, at::kLong);
  const auto decoder = model.decoder(4);
  decoder->advance(tokens.slice(1, 0, 6));
  decoder->select(rows);
  const at::Tensor kept = tokens.index_select(0, rows);
  EXPECT_LT(relative_error(decoder->advance(kept.slice(1, 6, 9)), last_logits(model, kept)), 1e-5);
}

TEST(Decoder, ForgetsEverythingOnReset) {
  Gpt2 model = small_model();
  const at::Tensor first = random_tokens({1, 12}, kVocabulary, 3), second = random_tokens({1, 3}, kVocabulary, 4);
  const auto decoder = model.decoder(1);
  decoder->advance(first);
  decoder->reset();
  EXPECT_EQ(decoder->room(), kContext);
  EXPECT_LT(relative_error(decoder->advance(second), last_logits(model, second)), 1e-5);
}

}  // namespace
}  // namespace etude::models
