#include "models/compressive_transformer.h"

#include <cmath>

#include <ATen/ATen.h>

#include "framework/config/error.h"
#include "tests/models/memory_support.h"

namespace etude::models {
namespace {

using etude::testing::find;
using etude::testing::random_normal;
using etude::testing::random_tokens;
using etude::testing::relative_error;
using etude::testing::walk;
using etude::testing::weights_of;

constexpr std::int64_t kVocabulary = 31, kLength = 8, kWidth = 16, kHeads = 2;
const TransformerXlOptions kSmall{.layers = 2, .width = kWidth, .heads = kHeads, .memory = 8};

CompressiveTransformer small(const CompressiveTransformerOptions& options) {
  CompressiveTransformer model(options, kVocabulary, kLength, 1);
  etude::testing::shake(model, 3);
  return model;
}

bool of_compression(const Parameter& parameter) { return std::string(parameter.part) == "compression"; }

TEST(CompressiveTransformer, IsTransformerXlOfTheLongerMemoryWhenNothingIsCompressed) {
  for (const Normalisation normalisation : {Normalisation::kAfter, Normalisation::kBefore}) {
    for (const Compression compression : {Compression::kMean, Compression::kMax}) {
      TransformerXlOptions options = kSmall;
      options.normalisation = normalisation;
      CompressiveTransformer model =
          small({.transformer_xl = options, .compressed = 16, .rate = 1, .compression = compression});
      options.memory = 24;
      TransformerXl longer(options, kVocabulary, kLength, 1);
      etude::testing::shake(longer, 3);

      // Seven segments: memory and compressed memory fill and overflow; one lane begins anew in the middle.
      const at::Tensor tokens = random_tokens({2, 7 * kLength}, kVocabulary, 4);
      Memory memory = model.initial_memory(2, {}), longer_memory = longer.initial_memory(2, {});
      at::Tensor loss = at::zeros({}), longer_loss = at::zeros({});
      for (std::int64_t i = 0; i < 7; ++i) {
        if (i == 3) memory.heard[0] = longer_memory.heard[0] = 0;
        const at::Tensor segment = tokens.narrow(1, i * kLength, kLength);
        const at::Tensor hidden = model.hidden(segment, memory, nullptr);
        const at::Tensor expected = longer.hidden(segment, longer_memory, nullptr);
        EXPECT_LT(relative_error(model.logits(hidden), longer.logits(expected)), 1e-5) << "segment " << i;
        loss = loss + model.loss_sum(hidden, segment, 0.0);
        longer_loss = longer_loss + longer.loss_sum(expected, segment, 0.0);
      }
      EXPECT_LT(relative_error(loss, longer_loss), 1e-6);
      loss.backward();
      longer_loss.backward();
      for (std::size_t i = 0; i < model.parameters().size(); ++i) {
        const Parameter& parameter = longer.parameters()[i];
        EXPECT_LT(relative_error(model.parameters()[i].value.grad(), parameter.value.grad()), 1e-4) << parameter.name;
      }
    }
  }
}

TEST(CompressiveTransformer, HearsThroughTheCompressedMemoryWhatTheFirstHasForgotten) {
  const at::NoGradGuard no_gradient;
  const at::Tensor tokens = random_tokens({1, 6 * kLength}, kVocabulary, 4);
  at::Tensor others = tokens.clone();
  others[0].narrow(0, 0, kLength).copy_(random_tokens({kLength}, kVocabulary, 5));
  for (const std::int64_t compressed : {0, 16}) {
    // One layer, so that nothing is handed on from layer to layer: a token sees its segment and its memories alone.
    TransformerXlOptions options = kSmall;
    options.layers = 1;
    CompressiveTransformer model = small({.transformer_xl = options, .compressed = compressed, .rate = 2});
    const bool same = walk(model, tokens, kLength).hidden[4].equal(walk(model, others, kLength).hidden[4]);
    EXPECT_EQ(same, compressed == 0);
  }
}

TEST(CompressiveTransformer, ReconstructionMovesNothingButTheCompression) {
  for (const Normalisation normalisation : {Normalisation::kAfter, Normalisation::kBefore}) {
    TransformerXlOptions options = kSmall;
    options.normalisation = normalisation;
    CompressiveTransformer model = small({.transformer_xl = options, .rate = 4});
    const auto walked = walk(model, random_tokens({2, 4 * kLength}, kVocabulary, 4), kLength);
    ASSERT_TRUE(walked.memory.loss.defined());
    EXPECT_GT(walked.memory.loss.item<float>(), 0);
    walked.memory.loss.backward();
    for (const Parameter& parameter : model.parameters()) {
      EXPECT_EQ(parameter.value.grad().defined(), of_compression(parameter)) << parameter.name;
      if (!of_compression(parameter)) continue;
      EXPECT_GT(parameter.value.grad().abs().max().item<float>(), 0) << parameter.name;
    }
  }
}

TEST(CompressiveTransformer, PredictionsDoNotMoveTheCompression) {
  CompressiveTransformer model = small({.transformer_xl = kSmall});
  const at::Tensor tokens = random_tokens({2, 4 * kLength}, kVocabulary, 4);
  model.loss_sum(at::cat(walk(model, tokens, kLength).hidden, 1), tokens, 0.0).backward();
  for (const Parameter& parameter : model.parameters()) {
    EXPECT_EQ(parameter.value.grad().defined(), !of_compression(parameter)) << parameter.name;
  }
}

TEST(CompressiveTransformer, CompressesAsConv1dAndPoolingDo) {
  const at::NoGradGuard no_gradient;
  const at::Tensor states = random_normal({3, 12, kWidth}, 1);
  const at::Tensor across = states.transpose(1, 2);  // [lanes, width, states], as PyTorch wants it
  CompressiveTransformer model = small({.transformer_xl = kSmall, .rate = 4});
  const auto weights = weights_of(model);
  const at::Tensor expected = at::conv1d(across, find(weights, "transformer.layers.1.compression.weight"),
                                         find(weights, "transformer.layers.1.compression.bias"), 4);
  EXPECT_LT(relative_error(model.compress(1, states), expected.transpose(1, 2)), 1e-5);
  CompressiveTransformer mean = small({.transformer_xl = kSmall, .rate = 4, .compression = Compression::kMean});
  EXPECT_LT(relative_error(mean.compress(0, states), at::avg_pool1d(across, 4).transpose(1, 2)), 1e-6);
  CompressiveTransformer most = small({.transformer_xl = kSmall, .rate = 4, .compression = Compression::kMax});
  EXPECT_TRUE(most.compress(0, states).equal(at::max_pool1d(across, 4).transpose(1, 2)));
  // A convolution begins as the mean.
  const CompressiveTransformer fresh({.transformer_xl = kSmall, .rate = 4}, kVocabulary, kLength, 1);
  EXPECT_LT(relative_error(fresh.compress(0, states), at::avg_pool1d(across, 4).transpose(1, 2)), 1e-6);
}

TEST(CompressiveTransformer, ReconstructionLossIsThatOfThePapersAlgorithm) {
  // One layer: its inputs are the scaled embeddings, so that everything can be computed from outside, with PyTorch's
  // attention. Lane 0 has heard 16 tokens and its first 8 fall out; lane 1 began anew, nothing of it falls out.
  TransformerXlOptions options = kSmall;
  options.layers = 1;
  CompressiveTransformer model = small({.transformer_xl = options, .rate = 4});
  const at::Tensor tokens = random_tokens({2, 3 * kLength}, kVocabulary, 4);
  Memory memory = model.initial_memory(2, {});
  for (std::int64_t i = 0; i < 3; ++i) {
    if (i == 2) memory.heard[1] = 0;
    (void)model.hidden(tokens.narrow(1, i * kLength, kLength), memory, nullptr);
  }
  const at::NoGradGuard no_gradient;
  const auto weights = weights_of(model);
  const at::Tensor inputs =
      at::embedding(find(weights, "transformer.word_emb.emb_layers.0.weight"), tokens).mul(std::sqrt(double{kWidth}));
  const at::Tensor projection = find(weights, "transformer.layers.0.dec_attn.qkv_net.weight");
  const auto heads = [&](const at::Tensor& x, std::int64_t part) {
    return at::linear(x, projection.narrow(0, part * kWidth, kWidth))
        .view({1, -1, kHeads, kWidth / kHeads})
        .transpose(1, 2);
  };
  const at::Tensor old = inputs.narrow(0, 0, 1).narrow(1, kLength, kLength);
  const at::Tensor queries = heads(inputs.narrow(0, 0, 1).narrow(1, 2 * kLength, kLength), 0);
  const auto answer = [&](const at::Tensor& m) {
    return at::scaled_dot_product_attention(queries, heads(m, 1), heads(m, 2));
  };
  const at::Tensor expected = (answer(old) - answer(model.compress(0, old))).square().sum() / double{kWidth};
  EXPECT_LT(relative_error(memory.loss, expected), 1e-5);
}

TEST(CompressiveTransformer, LanesAreApartAndForgetWherePiecesEnd) {
  CompressiveTransformer model = small({.transformer_xl = kSmall, .compressed = 6, .rate = 4});
  etude::testing::expect_lanes_apart(model, kVocabulary, kLength);
}

TEST(CompressiveTransformer, HasReplicasAndBfloat16) {
  CompressiveTransformer model = small({.transformer_xl = kSmall});
  etude::testing::expect_replica(model, kVocabulary, kLength);
  etude::testing::expect_close_in_bfloat16(model, kVocabulary, kLength);
}

TEST(CompressiveTransformer, RefusesWhatDoesNotFit) {
  EXPECT_THROW(CompressiveTransformer({.transformer_xl = kSmall, .rate = 3}, 10, 8, 1), UsageError);
  EXPECT_THROW(CompressiveTransformer({.transformer_xl = {.memory = 4}, .rate = 2}, 10, 8, 1), UsageError);
  CompressiveTransformer model = small({.transformer_xl = kSmall, .rate = 4});
  EXPECT_THROW(model.initial_memory(1, 10), UsageError);
  // A segment that is no multiple of the rate may only be a piece's last.
  Memory memory = model.initial_memory(1, {});
  const at::Tensor tokens = random_tokens({1, 6}, kVocabulary, 1);
  (void)model.hidden(tokens, memory, nullptr);
  EXPECT_THROW((void)model.hidden(tokens, memory, nullptr), UsageError);
}

}  // namespace
}  // namespace etude::models
