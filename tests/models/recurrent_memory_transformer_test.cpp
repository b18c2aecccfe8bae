#include "models/recurrent_memory_transformer.h"

#include <fstream>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "tests/models/memory_support.h"
#include "tests/support/oracle.h"

namespace etude::models {
namespace {

using etude::testing::find;
using etude::testing::random_tokens;
using etude::testing::relative_error;
using etude::testing::walk;
using etude::testing::weights_of;

constexpr std::int64_t kVocabulary = 31, kLength = 24, kMemory = 3;
const Gpt2Options kSmall{.layers = 2, .width = 16, .heads = 2, .dropout = 0.1};

RecurrentMemoryTransformer small(std::int64_t backprop_segments, std::int64_t memory_tokens = kMemory) {
  RecurrentMemoryTransformer model(
      {.gpt2 = kSmall, .memory_tokens = memory_tokens, .backprop_segments = backprop_segments}, kVocabulary, kLength,
      1);
  etude::testing::shake(model, 3);
  return model;
}

TEST(RecurrentMemoryTransformer, IsGpt2WithoutMemoryTokens) {
  RecurrentMemoryTransformer model = small(0, 0);
  Gpt2 plain(kSmall, kVocabulary, kLength, 1);
  etude::testing::shake(plain, 3);
  const at::Tensor tokens = random_tokens({2, kLength}, kVocabulary, 2);
  const DropoutKey key{1, 2, 3};
  Memory memory = model.initial_memory(2, {}), none = plain.initial_memory(2);
  const at::Tensor hidden = model.hidden(tokens, memory, &key), expected = plain.hidden(tokens, none, &key);
  EXPECT_TRUE(hidden.equal(expected));
  model.loss_sum(hidden, tokens, 0.0).backward();
  plain.loss_sum(expected, tokens, 0.0).backward();
  ASSERT_EQ(model.parameters().size(), plain.parameters().size());
  for (std::size_t i = 0; i < plain.parameters().size(); ++i) {
    EXPECT_TRUE(model.parameters()[i].value.grad().equal(plain.parameters()[i].value.grad()))
        << plain.parameters()[i].name;
  }
  EXPECT_EQ(model.hugging_face_config(), plain.hugging_face_config());
  EXPECT_FALSE(model.remembers());
  EXPECT_EQ(model.context(), kLength);
}

/// Whether the last hidden state of segment `last` learns from the tokens of segment `first`: looked for with a token
/// that stands nowhere else.
bool learns(RecurrentMemoryTransformer& model, std::int64_t sequences, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kMarker = kVocabulary - 1;
  at::Tensor tokens = random_tokens({1, sequences * kLength}, kMarker, 4);
  tokens[0][first * model.segment()] = kMarker;
  const auto walked = walk(model, tokens, kLength);
  const at::Tensor hidden = at::cat(walked.hidden, 1);
  const at::Tensor table = model.parameters()[0].value;
  EXPECT_EQ(model.parameters()[0].name, "transformer.wte.weight");
  const at::Tensor state = hidden[0][(last + 1) * model.segment() - 1];
  state.square().sum().backward();
  const bool found = table.grad()[kMarker].abs().max().item<float>() > 0;
  table.mutable_grad().reset();
  return found;
}

TEST(RecurrentMemoryTransformer, GradientsReachExactlySoManySegmentsBack) {
  for (const std::int64_t k : {0, 1, 2, 3}) {
    RecurrentMemoryTransformer model = small(k);
    // Two sequences of k + 1 segments: the last of the second reaches its first, k back, and not the segment before.
    const std::int64_t last = 2 * k + 1;
    for (std::int64_t back = 0; back <= last; ++back) {
      EXPECT_EQ(learns(model, 2, last - back, last), back <= k) << "k " << k << ", " << back << " back";
    }
  }
}

// Two sequences of two segments through transformers' GPT-2, fed with embeddings as the paper's figure 2 has it.
constexpr const char* kOracle = R"(
import sys, torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel
folder, segment, memory_tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
weights = load_file(folder + '/model.safetensors')
first = torch.nn.Parameter(weights.pop('memory.weight'))
model = GPT2LMHeadModel.from_pretrained(None, config=GPT2Config.from_pretrained(folder), state_dict=weights)
model.eval()
batch = load_file(folder + '/batch.safetensors')
result, total = {}, 0
state = first.expand(batch['tokens'].shape[0], -1, -1)
embed = model.transformer.wte
for tokens, targets in zip(batch['tokens'].split(2 * segment, 1), batch['targets'].split(2 * segment, 1)):
    for part, wanted in zip(tokens.split(segment, 1), targets.split(segment, 1)):
        hidden = model.transformer(inputs_embeds=torch.cat([state, embed(part), state], 1)).last_hidden_state
        logits = model.lm_head(hidden[:, memory_tokens:memory_tokens + segment])
        total = total + torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction='sum')
        state = hidden[:, memory_tokens + segment:]
        result['logits.%d' % len(result)] = logits.detach()
    state = state.detach()
total.backward()
result['loss'], result['memory'] = total.detach(), state
result['memory.weight'] = first.grad
for name, parameter in model.named_parameters():
    result[name] = parameter.grad
save_file({name: tensor.contiguous() for name, tensor in result.items()}, folder + '/expected.safetensors')
)";

TEST(RecurrentMemoryTransformer, IsThePapersAroundHuggingFacesGpt2) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle Python";
  RecurrentMemoryTransformer model = small(1);
  const at::Tensor tokens = random_tokens({2, 2 * kLength}, kVocabulary, 5);
  const at::Tensor targets = random_tokens({2, 2 * kLength}, kVocabulary, 6);
  const etude::testing::TemporaryFolder folder;
  nlohmann::json config = Gpt2(kSmall, kVocabulary, model.segment() + 2 * kMemory, 1).hugging_face_config();
  std::ofstream(folder.path() / "config.json") << config;
  write_safetensors(folder.path() / "model.safetensors", weights_of(model));
  write_safetensors(folder.path() / "batch.safetensors", {{"tokens", tokens}, {"targets", targets}});
  etude::testing::run_python(kOracle,
                             {folder.path().string(), std::to_string(model.segment()), std::to_string(kMemory)});
  const auto expected = read_safetensors(folder.path() / "expected.safetensors");

  const auto walked = walk(model, tokens, kLength);
  const at::Tensor hidden = at::cat(walked.hidden, 1);
  EXPECT_EQ(hidden.sizes(), (std::vector<std::int64_t>{2, 2 * kLength, kSmall.width}));  // nothing of the memory
  const at::Tensor logits = model.logits(hidden);
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_LT(relative_error(logits.narrow(1, i * model.segment(), model.segment()),
                             find(expected, "logits." + std::to_string(i))),
              1e-5);
  }
  EXPECT_LT(relative_error(walked.memory.tensors[0], find(expected, "memory")), 1e-5);
  const at::Tensor loss = model.loss_sum(hidden, targets, 0.0);
  EXPECT_LT(relative_error(loss, find(expected, "loss")), 1e-5);
  loss.backward();
  for (const Parameter& parameter : model.parameters()) {
    EXPECT_LT(relative_error(parameter.value.grad(), find(expected, parameter.name)), 1e-4) << parameter.name;
  }
}

TEST(RecurrentMemoryTransformer, LanesAreApartAndForgetWherePiecesEnd) {
  for (const std::int64_t k : {0, 2}) {
    RecurrentMemoryTransformer model = small(k);
    etude::testing::expect_lanes_apart(model, kVocabulary, kLength);
  }
}

TEST(RecurrentMemoryTransformer, HasReplicasAndBfloat16) {
  RecurrentMemoryTransformer model = small(1);
  etude::testing::expect_replica(model, kVocabulary, kLength);
  etude::testing::expect_close_in_bfloat16(model, kVocabulary, kLength);
}

TEST(RecurrentMemoryTransformer, RefusesWhatDoesNotFit) {
  EXPECT_THROW(RecurrentMemoryTransformer({.backprop_segments = 4}, 10, 24, 1), UsageError);
  EXPECT_THROW((void)small(1).initial_memory(1, 12), UsageError);
}

}  // namespace
}  // namespace etude::models
