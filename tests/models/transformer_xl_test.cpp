#include "models/transformer_xl.h"

#include <limits>

#include <ATen/ATen.h>

#include "framework/config/error.h"
#include "tests/models/memory_support.h"

namespace etude::models {
namespace {

using etude::testing::random_tokens;
using etude::testing::relative_error;
using etude::testing::walk;

constexpr std::int64_t kVocabulary = 31, kLength = 8;

TransformerXl small(TransformerXlOptions options = {}) {
  options.layers = 2;
  options.width = 16;
  options.heads = 2;
  TransformerXl model(options, kVocabulary, kLength, 1);
  etude::testing::shake(model, 3);
  return model;
}

TEST(TransformerXl, LanesAreApartAndForgetWherePiecesEnd) {
  for (const std::int64_t memory : {4, 8, 13, 40}) {
    SCOPED_TRACE(memory);
    TransformerXl model = small({.memory = memory});
    etude::testing::expect_lanes_apart(model, kVocabulary, kLength);
  }
}

TEST(TransformerXl, HasReplicasWithSharedBiasesToo) {
  for (const bool share : {false, true}) {
    TransformerXl model = small({.share_biases = share, .adaptive = {.cutoffs = {7, 15}, .divisor = 2}});
    etude::testing::expect_replica(model, kVocabulary, kLength);
  }
}

TEST(TransformerXl, WorksInBfloat16) {
  for (const Normalisation normalisation : {Normalisation::kAfter, Normalisation::kBefore}) {
    TransformerXl model = small({.normalisation = normalisation, .adaptive = {.cutoffs = {7}, .divisor = 2}});
    etude::testing::expect_close_in_bfloat16(model, kVocabulary, kLength);
  }
}

TEST(TransformerXl, SegmentsOfAnyLengthHearTheSameOnceMemoryHoldsThePiece) {
  const at::NoGradGuard no_gradient;
  TransformerXl model = small({.memory = 48});
  const at::Tensor tokens = random_tokens({2, 48}, kVocabulary, 7);
  const at::Tensor whole = walk(model, tokens, 48).hidden[0];
  for (const std::int64_t length : {1, 3, 8, 24}) {
    EXPECT_LT(relative_error(at::cat(walk(model, tokens, length).hidden, 1), whole), 1e-5) << length;
  }
}

TEST(TransformerXl, EvaluatesWithAnotherMemoryThanItWasTrainedWith) {
  const at::NoGradGuard no_gradient;
  TransformerXl model = small({.memory = 8}), longer = small({.memory = 24});
  const at::Tensor tokens = random_tokens({1, 40}, kVocabulary, 8);
  EXPECT_TRUE(walk(model, tokens, kLength, 24).hidden[4].equal(walk(longer, tokens, kLength).hidden[4]));
  // Without memory a segment stands alone.
  EXPECT_TRUE(walk(model, tokens, kLength, 0)
                  .hidden[4]
                  .equal(walk(model, tokens.narrow(1, 32, 8).contiguous(), kLength).hidden[0]));
}

TEST(TransformerXl, ForgetsWhatIsNoNumber) {
  const at::NoGradGuard no_gradient;
  TransformerXl model = small();
  const at::Tensor tokens = random_tokens({2, 8}, kVocabulary, 9);
  Memory fresh = model.initial_memory(2), spoilt = model.initial_memory(2);
  EXPECT_TRUE(model.hidden(tokens, fresh, nullptr).isfinite().all().item<bool>());
  (void)model.hidden(tokens, spoilt, nullptr);
  for (const at::Tensor& tensor : spoilt.tensors) tensor[0].fill_(std::numeric_limits<float>::quiet_NaN());
  spoilt.heard[0] = 0;
  EXPECT_TRUE(model.hidden(tokens, spoilt, nullptr).isfinite().all().item<bool>());
}

TEST(TransformerXl, RefusesWhatDoesNotFit) {
  EXPECT_THROW(TransformerXl({.width = 15, .heads = 3}, 10, 8, 1), UsageError);
  EXPECT_THROW(TransformerXl({.width = 16, .heads = 3}, 10, 8, 1), UsageError);
  EXPECT_THROW(TransformerXl({.memory = 0, .same_length = true}, 10, 8, 1), UsageError);
  EXPECT_THROW(TransformerXl({.adaptive = {.cutoffs = {5, 5}}}, 10, 8, 1), UsageError);
  EXPECT_THROW(TransformerXl({.adaptive = {.cutoffs = {10}}}, 10, 8, 1), UsageError);
  EXPECT_THROW(TransformerXl({.width = 16, .heads = 1, .adaptive = {.cutoffs = {3, 6}, .divisor = 8}}, 10, 8, 1),
               UsageError);
}

}  // namespace
}  // namespace etude::models
