#include <string>

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
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

TEST(Decoder, HasTheSameBitsForARowWhateverIsBesideItAndHoweverItIsFed) {
  Gpt2 model = small_model();
  const at::Tensor tokens = random_tokens({13, kContext}, kVocabulary, 6);
  const auto all = model.decoder(13);
  const at::Tensor together = all->advance(tokens).clone();
  for (const std::int64_t row : {0, 7, 12}) {
    const auto alone = model.decoder(1);
    at::Tensor logits;
    for (std::int64_t i = 0; i < kContext; ++i) logits = alone->advance(tokens.narrow(0, row, 1).narrow(1, i, 1));
    EXPECT_TRUE(at::equal(logits, together.narrow(0, row, 1))) << row;
  }
}

TEST(Decoder, VariationsOfOnePromptGoTheirOwnWays) {
  Gpt2 model = small_model();
  const at::Tensor prompt = random_tokens({1, 11}, kVocabulary, 7), then = random_tokens({5, 3}, kVocabulary, 8);
  const auto decoder = model.decoder(5);
  const at::Tensor first = decoder->advance(prompt.expand({5, 11})).clone();
  EXPECT_LT(relative_error(first, last_logits(model, prompt).expand({5, kVocabulary})), 1e-5);
  const at::Tensor second = decoder->advance(then);
  EXPECT_LT(relative_error(second, last_logits(model, at::cat({prompt.expand({5, 11}), then}, 1))), 1e-5);
}

TEST(Decoder, ReadsBfloat16WeightsAsTheNumbersTheyAre) {
  Gpt2 rounded = small_model(), same = small_model();
  set_matrix_dtype(rounded, at::kBFloat16);
  for (std::size_t i = 0; i < same.parameters().size(); ++i) {
    same.parameters()[i].value.detach().copy_(rounded.parameters()[i].value.detach());
  }
  const at::Tensor tokens = random_tokens({3, 15}, kVocabulary, 9);
  EXPECT_LT(relative_error(rounded.decoder(3)->advance(tokens), last_logits(same, tokens)), 1e-5);
}

TEST(Decoder, TakesModelsWhoseSizesFitNoVector) {
  for (const Gpt2Options& options : {Gpt2Options{.layers = 1, .width = 21, .heads = 3, .dropout = 0},
                                     Gpt2Options{.layers = 2, .width = 80, .heads = 2, .dropout = 0}}) {
    Gpt2 model(options, 7, 150, 1);
    etude::testing::shake(model, 2);
    const at::Tensor tokens = random_tokens({2, 150}, 7, 3);
    EXPECT_LT(relative_error(model.decoder(2)->advance(tokens), last_logits(model, tokens)), 2e-5) << options.width;
  }
}

TEST(Decoder, RefusesTokensThatTheModelDoesNotKnow) {
  Gpt2 model = small_model();
  for (const std::int64_t token : {std::int64_t{-1}, kVocabulary}) {
    EXPECT_THROW(model.decoder(1)->advance(at::full({1, 1}, token, at::kLong)), Error) << token;
  }
}

}  // namespace
}  // namespace etude::models
