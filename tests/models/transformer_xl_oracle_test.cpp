// Transformer-XL beside Hugging Face's, the last version that had it: the same weights, the same five segments.
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include "framework/checkpoint/weights.h"
#include "models/transformer_xl.h"
#include "tests/models/support.h"
#include "tests/support/oracle.h"

namespace etude::models {
namespace {

using etude::testing::find;
using etude::testing::random_tokens;
using etude::testing::relative_error;
using etude::testing::TemporaryFolder;
using etude::testing::weights_of;

constexpr std::int64_t kSegments = 5;
// float32 here against float64 there.
constexpr double kTolerance = 1e-5;

struct Case {
  const char* name;
  TransformerXlOptions options;
  std::int64_t vocabulary = 61, time = 12, lanes = 3;
};

std::vector<Case> cases() {
  const TransformerXlOptions small{
      .layers = 2, .width = 32, .heads = 4, .memory = 12, .dropout = 0, .attention_dropout = 0};
  const auto with = [&](auto change) {
    TransformerXlOptions options = small;
    change(options);
    return options;
  };
  using Options = TransformerXlOptions&;
  return {
      {"default", with([](Options o) { o.dropout = 0.2, o.attention_dropout = 0.1; })},
      {"normalised before", with([](Options o) { o.normalisation = Normalisation::kBefore, o.dropout = 0.1; })},
      {"same length", with([](Options o) { o.same_length = true; })},
      {"same length, shorter than a segment", with([](Options o) { o.same_length = true, o.memory = 5; })},
      {"same length, longer than a segment", with([](Options o) { o.same_length = true, o.memory = 29; })},
      {"clamped distances", with([](Options o) { o.clamp_length = 7, o.memory = 20; })},
      {"shared biases", with([](Options o) { o.share_biases = true; })},
      {"clusters", with([](Options o) {
         o.adaptive.cutoffs = {20, 35, 50};
       })},
      {"clusters, divided", with([](Options o) {
         o.adaptive = {{20, 40}, 2}, o.dropout = 0.1;
       })},
      {"memory shorter than a segment", with([](Options o) { o.memory = 5; })},
      {"memory longer than a segment", with([](Options o) { o.memory = 31; })},
      {"odd sizes", {.layers = 3, .width = 42, .heads = 3, .inner = 29, .memory = 17, .dropout = 0.3}, 7, 11, 1},
      {"all at once, longer than a block of attention",
       {.layers = 2,
        .width = 20,
        .heads = 2,
        .inner = 31,
        .memory = 150,
        .same_length = true,
        .clamp_length = 90,
        .share_biases = true,
        .normalisation = Normalisation::kBefore,
        .adaptive = {{50, 90, 120}, 2},
        .dropout = 0.1,
        .attention_dropout = 0.2},
       131,
       140,
       2},
  };
}

const DropoutKey kKey{.seed = 3, .step = 2, .grain = 1};

/// What each element is multiplied with in the second segment, for every place that drops something.
NamedTensors dropout_factors(const Case& given) {
  const TransformerXlOptions& options = given.options;
  const std::int64_t lanes = given.lanes, time = given.time, keys = std::min(options.memory, time) + time;
  const auto factors = [&](at::IntArrayRef size, double rate, std::uint32_t site) {
    return dropout(at::ones(size, at::kFloat), rate, &kKey, site);
  };
  const auto of_states = [&](std::int64_t width, std::uint32_t site) {
    return factors({lanes, time, width}, options.dropout, site);
  };
  NamedTensors result{{"embedding", of_states(options.width, 0)},
                      {"positions", factors({keys, options.width}, options.dropout, 1)},
                      {"last", of_states(options.width, 2)}};
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(options.layers); ++i) {
    const std::string layer = std::to_string(i) + ".";
    const at::Tensor attention =
        factors({lanes, options.heads, time, (keys + 127) / 128 * 128}, options.attention_dropout, 3 + 4 * i);
    result.emplace_back(layer + "attention", attention.slice(-1, 0, keys));
    result.emplace_back(layer + "attention_output", of_states(options.width, 4 + 4 * i));
    result.emplace_back(layer + "inner", of_states(options.inner > 0 ? options.inner : 4 * options.width, 5 + 4 * i));
    result.emplace_back(layer + "outer", of_states(options.width, 6 + 4 * i));
  }
  return result;
}

/// What all lanes hear: tokens and targets [segments, lanes, time], and which lanes begin a piece with a segment.
struct Batch {
  at::Tensor tokens, targets, begins;
};

Batch batch_of(const Case& given) {
  const std::vector<std::int64_t> shape{kSegments, given.lanes, given.time};
  Batch batch{random_tokens(shape, given.vocabulary, 1), random_tokens(shape, given.vocabulary, 2),
              at::zeros({kSegments, given.lanes}, at::kLong)};
  batch.targets[1][0].slice(0, given.time / 2).fill_(-100);
  batch.begins[0].fill_(1);
  if (given.lanes > 1) batch.begins[3][1].fill_(1);  // one lane alone, while the others go on
  return batch;
}

at::Tensor log_probabilities(TransformerXl& model, const at::Tensor& hidden) {
  return model.logits(hidden).log_softmax(-1).detach();
}

void expect_gradients(const TransformerXl& model, const NamedTensors& expected, const std::string& prefix) {
  for (const Parameter& parameter : model.parameters()) {
    const at::Tensor gradient = parameter.value.grad();
    ASSERT_TRUE(gradient.defined()) << parameter.name;
    EXPECT_LT(relative_error(gradient, find(expected, prefix + parameter.name)), kTolerance)
        << prefix << parameter.name;
    parameter.value.mutable_grad() = at::Tensor();
  }
}

/// Hears all segments and compares hidden states, log-probabilities, losses, memories and gradients.
void expect_same(TransformerXl& model, const Batch& batch, const NamedTensors& expected) {
  const std::int64_t lanes = batch.tokens.size(1);
  Memory memory = model.initial_memory(lanes, std::nullopt);
  for (std::int64_t s = 0; s < kSegments; ++s) {
    SCOPED_TRACE("segment " + std::to_string(s));
    const std::string suffix = "." + std::to_string(s);
    for (std::int64_t i = 0; i < lanes; ++i) {
      if (batch.begins[s][i].item<std::int64_t>() == 1) memory.heard[static_cast<std::size_t>(i)] = 0;
    }
    const at::Tensor hidden = model.hidden(batch.tokens[s], memory, nullptr);
    const at::Tensor loss = model.loss_sum(hidden, batch.targets[s], 0.0);
    loss.backward();
    EXPECT_LT(relative_error(hidden.detach(), find(expected, "hidden" + suffix)), kTolerance);
    EXPECT_LT(relative_error(log_probabilities(model, hidden), find(expected, "logits" + suffix)), kTolerance);
    EXPECT_LT(relative_error(loss.detach(), find(expected, "losses" + suffix).sum()), kTolerance);
    for (std::size_t layer = 0; layer < memory.tensors.size(); ++layer) {
      for (std::int64_t i = 0; i < lanes; ++i) {
        const at::Tensor theirs =
            find(expected, "memory" + suffix + "." + std::to_string(layer) + "." + std::to_string(i));
        const at::Tensor ours = memory.tensors[layer][i];
        ASSERT_EQ(theirs.size(0), std::min(ours.size(0), memory.heard[static_cast<std::size_t>(i)]));
        EXPECT_LT(relative_error(ours.slice(0, ours.size(0) - theirs.size(0)), theirs), kTolerance)
            << "memory of layer " << layer << ", lane " << i;
      }
    }
  }
  expect_gradients(model, expected, "gradient.");
}

void expect_same_with_dropout(TransformerXl& model, const Batch& batch, const NamedTensors& expected) {
  Memory memory = model.initial_memory(batch.tokens.size(1), std::nullopt);
  model.hidden(batch.tokens[0], memory, nullptr);
  const at::Tensor hidden = model.hidden(batch.tokens[1], memory, &kKey);
  model.loss_sum(hidden, batch.targets[1], 0.0).backward();
  EXPECT_LT(relative_error(log_probabilities(model, hidden), find(expected, "dropped.logits")), kTolerance);
  expect_gradients(model, expected, "dropped.gradient.");
}

TEST(TransformerXl, IsHuggingFacesModelOverFiveSegmentsAndInFilesBothWays) {
  const auto oracle = etude::testing::transformer_xl_oracle();
  if (!oracle) GTEST_SKIP() << "no .deps/oracle-xl (script/setup --test makes it)";
  at::set_num_threads(1);  // the models are small
  const TemporaryFolder root;
  std::vector<std::string> folders;
  std::vector<TransformerXl> models;
  for (const Case& given : cases()) {
    TransformerXl& model = models.emplace_back(given.options, given.vocabulary, given.time, 1);
    etude::testing::shake(model, 9);
    const auto folder = root.path() / std::to_string(folders.size());
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "config.json") << model.hugging_face_config();
    write_safetensors(folder / "model.safetensors", weights_of(model), {{"format", "pt"}});
    const Batch batch = batch_of(given);
    write_safetensors(folder / "batch.safetensors",
                      {{"tokens", batch.tokens}, {"targets", batch.targets}, {"begins", batch.begins}});
    if (given.options.dropout > 0) write_safetensors(folder / "dropout.safetensors", dropout_factors(given));
    folders.push_back(folder.string());
  }
  etude::testing::run_python(etude::testing::slurp(ETUDE_SOURCE_DIR "/tests/models/transformer_xl_oracle.py"), folders,
                             *oracle);

  for (std::size_t i = 0; i < folders.size(); ++i) {
    const Case given = cases()[i];
    SCOPED_TRACE(given.name);
    const Batch batch = batch_of(given);
    const NamedTensors expected = read_safetensors(folders[i] + "/expected.safetensors");
    expect_same(models[i], batch, expected);
    if (given.options.dropout == 0) continue;
    expect_same_with_dropout(models[i], batch, expected);

    SCOPED_TRACE("weights that transformers saved");
    const std::string theirs = folders[i] + "/theirs";
    checkpoint::load_weights(models[i], read_safetensors(theirs + "/model.safetensors"), theirs);
    expect_same(models[i], batch, read_safetensors(theirs + "/expected.safetensors"));
  }
}

}  // namespace
}  // namespace etude::models
