// Decoders of models that remember, against the models themselves.
#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "models/compressive_transformer.h"
#include "models/recurrent_memory_transformer.h"
#include "tests/models/support.h"

namespace etude::models {
namespace {

using etude::testing::random_tokens;
using etude::testing::relative_error;

constexpr std::int64_t kVocabulary = 37, kSegment = 12;

/// A model, and the segments that it hears when it does what its decoder does.
struct Case {
  std::string name;
  std::function<std::unique_ptr<Model>()> make;
  std::int64_t step = 1;
};

template <typename Kind, typename Options>
std::unique_ptr<Model> made(const Options& options) {
  auto model = std::make_unique<Kind>(options, kVocabulary, kSegment, 3);
  etude::testing::shake(*model, 5);
  return model;
}
Case transformer_xl(const std::string& name, TransformerXlOptions options) {
  options.layers = 2;
  if (options.width == 256) options.width = 24;
  if (options.heads == 8) options.heads = 3;
  return {name, [=] { return made<TransformerXl>(options); }, 1};
}
Case compressive(const std::string& name, CompressiveTransformerOptions options) {
  options.transformer_xl.layers = 2;
  options.transformer_xl.width = 24;
  options.transformer_xl.heads = 3;
  return {name, [=] { return made<CompressiveTransformer>(options); }, options.rate};
}
Case recurrent(const std::string& name, std::int64_t memory_tokens, std::int64_t backprop_segments) {
  const RecurrentMemoryOptions options{.gpt2 = {.layers = 2, .width = 24, .heads = 3},
                                       .memory_tokens = memory_tokens,
                                       .backprop_segments = backprop_segments};
  return {name, [=] { return made<RecurrentMemoryTransformer>(options); }, kSegment};
}

std::vector<Case> cases() {
  return {
      transformer_xl("plain", {.memory = 7}),
      transformer_xl("without_memory", {.memory = 0}),
      transformer_xl("long_memory", {.memory = 70}),
      transformer_xl("same_length", {.memory = 9, .same_length = true}),
      transformer_xl("clamped", {.memory = 20, .clamp_length = 4}),
      transformer_xl("shared_biases", {.memory = 5, .share_biases = true}),
      transformer_xl("normalised_before", {.memory = 7, .normalisation = Normalisation::kBefore}),
      transformer_xl("clusters", {.memory = 7, .adaptive = {.cutoffs = {10, 22}}}),
      transformer_xl("narrow_clusters", {.memory = 7, .adaptive = {.cutoffs = {10, 22}, .divisor = 2}}),
      transformer_xl("odd_sizes", {.width = 42, .heads = 2, .inner = 51, .memory = 33}),
      compressive("convolution", {.transformer_xl = {.memory = 12}, .compressed = 5, .rate = 3}),
      compressive("mean", {.transformer_xl = {.memory = 12}, .compressed = 50, .compression = Compression::kMean}),
      compressive("max", {.transformer_xl = {.memory = 16, .normalisation = Normalisation::kBefore},
                          .compressed = 4,
                          .rate = 4,
                          .compression = Compression::kMax}),
      compressive("compressive_same_length",
                  {.transformer_xl = {.memory = 12, .same_length = true}, .compressed = 5, .rate = 3}),
      compressive("nothing_compressed", {.transformer_xl = {.memory = 12}, .compressed = 0, .rate = 1}),
      recurrent("recurrent", 3, 0),
      recurrent("recurrent_in_halves", 5, 1),
      recurrent("much_recurrent_memory", 110, 0),
  };
}

class MemoryDecoder : public ::testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<Model> model_ = GetParam().make();

  /// What the model says after each token, [batch, time, vocabulary].
  at::Tensor logits(const at::Tensor& tokens) const {
    const at::NoGradGuard no_gradient;
    Memory memory = model_->initial_memory(tokens.size(0));
    std::vector<at::Tensor> all;
    for (std::int64_t first = 0; first < tokens.size(1); first += GetParam().step) {
      const at::Tensor segment = tokens.slice(1, first, std::min(first + GetParam().step, tokens.size(1)));
      all.push_back(model_->logits(model_->hidden(segment, memory, nullptr)));
    }
    return at::cat(all, 1);
  }
};
INSTANTIATE_TEST_SUITE_P(, MemoryDecoder, ::testing::ValuesIn(cases()),
                         [](const auto& given) { return given.param.name; });

TEST_P(MemoryDecoder, SaysWhatTheModelSaysForAsLongAsOneLikes) {
  const std::int64_t time = 330;  // more than fits into a cache at a time
  const at::Tensor tokens = random_tokens({2, time}, kVocabulary, 1), expected = logits(tokens);
  const auto decoder = model_->decoder(2);
  EXPECT_EQ(decoder->room(), std::numeric_limits<std::int64_t>::max());
  for (std::int64_t i = 0; i < time; ++i) {
    const at::Tensor actual = decoder->advance(tokens.narrow(1, i, 1));
    ASSERT_LT(relative_error(actual, expected.select(1, i)), 1e-5) << "token " << i;
    EXPECT_FALSE(actual.requires_grad());
  }
}

TEST_P(MemoryDecoder, HasTheSameBitsForARowWhateverIsBesideItAndHoweverItIsFed) {
  const std::int64_t time = 337;
  const at::Tensor tokens = random_tokens({3, time}, kVocabulary, 6);
  const at::Tensor together = model_->decoder(3)->advance(tokens).clone();
  const at::Tensor row = tokens.narrow(0, 1, 1);
  const auto by_token = model_->decoder(1), in_parts = model_->decoder(1);
  at::Tensor last;
  for (std::int64_t i = 0; i < time; ++i) last = by_token->advance(row.narrow(1, i, 1));
  EXPECT_TRUE(at::equal(last, together.narrow(0, 1, 1)));
  std::int64_t begin = 0;
  for (const std::int64_t end : {1, 50, 64, 200, 210, 337}) {
    last = in_parts->advance(row.slice(1, begin, end));
    begin = end;
  }
  EXPECT_TRUE(at::equal(last, together.narrow(0, 1, 1)));
}

TEST_P(MemoryDecoder, GoesOnWithTheRowsThatAreSelected) {
  const at::Tensor tokens = random_tokens({4, 60}, kVocabulary, 2), rows = at::tensor({3, 1}, at::kLong);
  const auto decoder = model_->decoder(4);
  decoder->advance(tokens.slice(1, 0, 31));
  decoder->select(rows);
  const at::Tensor kept = tokens.index_select(0, rows);
  EXPECT_LT(relative_error(decoder->advance(kept.slice(1, 31, 60)), logits(kept).select(1, -1)), 1e-5);
}

TEST_P(MemoryDecoder, VariationsOfOnePromptGoTheirOwnWays) {
  const at::Tensor prompt = random_tokens({1, 41}, kVocabulary, 7), then = random_tokens({3, 25}, kVocabulary, 8);
  const auto decoder = model_->decoder(3);
  decoder->advance(prompt.expand({3, 41}));
  const at::Tensor expected = logits(at::cat({prompt.expand({3, 41}), then}, 1)).select(1, -1);
  EXPECT_LT(relative_error(decoder->advance(then), expected), 1e-5);
}

TEST_P(MemoryDecoder, ForgetsEverythingOnReset) {
  const auto decoder = model_->decoder(1);
  decoder->advance(random_tokens({1, 200}, kVocabulary, 3));
  decoder->reset();
  const at::Tensor second = random_tokens({1, 30}, kVocabulary, 4);
  EXPECT_LT(relative_error(decoder->advance(second), logits(second).select(1, -1)), 1e-5);
}

TEST_P(MemoryDecoder, ReadsBfloat16WeightsAsTheNumbersTheyAre) {
  const auto rounded = GetParam().make();
  set_matrix_dtype(*rounded, at::kBFloat16);
  for (std::size_t i = 0; i < rounded->parameters().size(); ++i) {
    model_->parameters()[i].value.detach().copy_(rounded->parameters()[i].value.detach());
  }
  const at::Tensor tokens = random_tokens({2, 40}, kVocabulary, 9);
  EXPECT_LT(relative_error(rounded->decoder(2)->advance(tokens), logits(tokens).select(1, -1)), 1e-5);
}

}  // namespace
}  // namespace etude::models
