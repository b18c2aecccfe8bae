#include "models/gpt2.h"

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "models/registry.h"
#include "tests/models/support.h"
#include "tests/support/oracle.h"

namespace etude::models {
namespace {

using etude::testing::find;
using etude::testing::random_tokens;
using etude::testing::relative_error;
using etude::testing::TemporaryFolder;
using etude::testing::weights_of;

struct Shape {
  Gpt2Options options;
  std::int64_t vocabulary, context, batch, time;
  double smoothing;
};
// Odd widths and vocabularies, one token, a full context, more than one block of attention.
const Shape kShapes[] = {
    {{.layers = 2, .width = 32, .heads = 4, .dropout = 0.1}, 61, 40, 3, 17, 0.0},
    {{.layers = 1, .width = 21, .heads = 3, .dropout = 0.0}, 7, 150, 1, 150, 0.1},
    {{.layers = 3, .width = 16, .heads = 1, .dropout = 0.5}, 128, 8, 5, 1, 0.0},
};

at::Tensor mean_loss(Model& model, const at::Tensor& tokens, const at::Tensor& targets, double smoothing,
                     const DropoutKey* key = nullptr) {
  Memory memory;
  const at::Tensor hidden = model.hidden(tokens, memory, key);
  return model.loss_sum(hidden, targets, smoothing).div(targets.ne(-100).sum());
}

at::Tensor logits_of(Model& model, const at::Tensor& tokens) {
  const at::NoGradGuard no_gradient;
  Memory memory;
  return model.logits(model.hidden(tokens, memory, nullptr));
}

/// Tokens and targets, some of them padding.
std::pair<at::Tensor, at::Tensor> batch_of(const Shape& shape) {
  const at::Tensor tokens = random_tokens({shape.batch, shape.time}, shape.vocabulary, 1);
  const at::Tensor targets = random_tokens({shape.batch, shape.time}, shape.vocabulary, 2);
  targets[0].slice(0, shape.time / 2 + 1).fill_(-100);
  return {tokens, targets};
}

const DropoutKey kKey{.seed = 3, .step = 2, .grain = 1};

/// What each element is multiplied with, for every place that drops something, by Hugging Face's names of the modules.
NamedTensors dropout_factors(const Shape& shape) {
  const Gpt2Options& options = shape.options;
  const auto factors = [&](at::IntArrayRef size, std::uint32_t site) {
    return dropout(at::ones(size, at::kFloat), options.dropout, &kKey, site);
  };
  const std::int64_t batch = shape.batch, time = shape.time, padded = (time + 127) / 128 * 128;
  NamedTensors result{{"transformer.drop", factors({batch, time, options.width}, 0)}};
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(options.layers); ++i) {
    const std::string layer = "transformer.h." + std::to_string(i);
    const at::Tensor attention = factors({batch, options.heads, time, padded}, 3 * i + 1);
    result.emplace_back(layer + ".attn.attn_dropout", attention.slice(-1, 0, time));
    result.emplace_back(layer + ".attn.resid_dropout", factors({batch, time, options.width}, 3 * i + 2));
    result.emplace_back(layer + ".mlp.dropout", factors({batch, time, options.width}, 3 * i + 3));
  }
  return result;
}

// For each folder: opens config.json and model.safetensors as any user of transformers would; writes logits, loss and
// gradients, those again with the given dropout, and a second, randomly initialised model with its logits.
constexpr const char* kOracle = R"(
import sys, torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

class Times(torch.nn.Module):
    def __init__(self, factors):
        super().__init__()
        self.factors = factors

    def forward(self, x):
        return x * self.factors

def learn(model, batch, prefix, result):
    model.zero_grad()
    logits = model(batch['tokens']).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch['targets'].flatten(),
                                             label_smoothing=batch['smoothing'].item())
    loss.backward()
    result[prefix + 'logits'], result[prefix + 'loss'] = logits.detach(), loss.detach()
    for name, parameter in model.named_parameters():
        result[prefix + name] = parameter.grad.clone()

for folder in sys.argv[1:]:
    model, info = GPT2LMHeadModel.from_pretrained(folder, output_loading_info=True)
    assert not any(info[key] for key in ('missing_keys', 'unexpected_keys', 'mismatched_keys', 'error_msgs')), info
    model.eval()
    batch = load_file(folder + '/batch.safetensors')
    result = {}
    learn(model, batch, 'plain.', result)
    model.set_attn_implementation('eager')
    for name, factors in load_file(folder + '/dropout.safetensors').items():
        parent, _, child = name.rpartition('.')
        setattr(model.get_submodule(parent), child, Times(factors))
    learn(model, batch, 'dropped.', result)
    save_file({name: tensor.contiguous() for name, tensor in result.items()}, folder + '/expected.safetensors')

    torch.manual_seed(1)
    theirs = GPT2LMHeadModel(GPT2Config.from_pretrained(folder)).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    theirs.save_pretrained(folder + '/theirs')
    save_file({'logits': theirs(batch['tokens']).logits.detach()}, folder + '/theirs/expected.safetensors')
)";

TEST(Gpt2, IsHuggingFacesModelInLogitsGradientsDropoutAndFiles) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle Python";
  const TemporaryFolder root;
  std::vector<std::string> folders;
  std::vector<Gpt2> models;
  for (const Shape& shape : kShapes) {
    Gpt2& model = models.emplace_back(shape.options, shape.vocabulary, shape.context, 1);
    etude::testing::shake(model, 9);
    const auto folder = root.path() / std::to_string(folders.size());
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "config.json") << model.hugging_face_config();
    write_safetensors(folder / "model.safetensors", weights_of(model));
    const auto [tokens, targets] = batch_of(shape);
    write_safetensors(
        folder / "batch.safetensors",
        {{"tokens", tokens}, {"targets", targets}, {"smoothing", at::empty({}, at::kDouble).fill_(shape.smoothing)}});
    write_safetensors(folder / "dropout.safetensors", dropout_factors(shape));
    folders.push_back(folder.string());
  }
  etude::testing::run_python(kOracle, folders);

  for (std::size_t i = 0; i < folders.size(); ++i) {
    SCOPED_TRACE(i);
    Gpt2& model = models[i];
    const auto [tokens, targets] = batch_of(kShapes[i]);
    const NamedTensors expected = read_safetensors(folders[i] + "/expected.safetensors");
    EXPECT_LT(relative_error(logits_of(model, tokens), find(expected, "plain.logits")), 1e-5);
    for (const bool drops : {false, true}) {
      const std::string prefix = drops ? "dropped." : "plain.";
      SCOPED_TRACE(prefix);
      const at::Tensor loss = mean_loss(model, tokens, targets, kShapes[i].smoothing, drops ? &kKey : nullptr);
      EXPECT_LT(relative_error(loss, find(expected, prefix + "loss")), 1e-5);
      loss.backward();
      for (const Parameter& parameter : model.parameters()) {
        EXPECT_LT(relative_error(parameter.value.grad(), find(expected, prefix + parameter.name)), 1e-4)
            << parameter.name;
        parameter.value.mutable_grad().reset();
      }
    }

    const NamedTensors theirs = read_safetensors(folders[i] + "/theirs/model.safetensors");
    EXPECT_EQ(theirs.size(), model.parameters().size());
    for (const Parameter& parameter : model.parameters()) {
      parameter.value.detach().copy_(find(theirs, parameter.name));
    }
    const NamedTensors their_results = read_safetensors(folders[i] + "/theirs/expected.safetensors");
    EXPECT_LT(relative_error(logits_of(model, tokens), find(their_results, "logits")), 1e-5);
  }
}

const Shape kSmall = kShapes[0];
Gpt2 small_model(std::uint64_t seed = 1) { return Gpt2(kSmall.options, kSmall.vocabulary, kSmall.context, seed); }

TEST(Gpt2, StartsFromTheSeedAlone) {
  const Gpt2 one = small_model(4), same = small_model(4), other = small_model(5);
  for (std::size_t i = 0; i < one.parameters().size(); ++i) {
    const Parameter& parameter = one.parameters()[i];
    EXPECT_TRUE(at::equal(parameter.value, same.parameters()[i].value)) << parameter.name;
    EXPECT_EQ(parameter.decay, parameter.value.dim() == 2) << parameter.name;
    if (parameter.decay) {
      EXPECT_FALSE(at::equal(parameter.value, other.parameters()[i].value)) << parameter.name;
      // Radford et al. 2019, section 2.3: 0.02, and 0.02 / sqrt(2 layers) = 0.01 for outputs onto the residual stream.
      const bool residual = parameter.name.find("c_proj") != std::string::npos;
      const double deviation = parameter.value.detach().std().item<double>();
      EXPECT_NEAR(deviation, residual ? 0.01 : 0.02, residual ? 0.001 : 0.002) << parameter.name;
    }
  }
}

TEST(Gpt2, LearnsWithDropoutFromTheKeyAlone) {
  const auto [tokens, targets] = batch_of(kSmall);
  const auto gradients = [&](const DropoutKey& key, int threads) {
    at::set_num_threads(threads);
    Gpt2 model = small_model();
    mean_loss(model, tokens, targets, 0.0, &key).backward();
    std::vector<at::Tensor> result;
    for (const Parameter& parameter : model.parameters()) result.push_back(parameter.value.grad());
    return result;
  };
  const int threads = at::get_num_threads();
  DropoutKey later = kKey;
  later.step += 1;
  const auto one = gradients(kKey, 1), again = gradients(kKey, 1), other = gradients(later, 1);
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_TRUE(at::equal(one[i], again[i])) << i;
    EXPECT_FALSE(at::equal(one[i], other[i])) << i;
  }
}

TEST(Gpt2, ReplicasShareWeightsAndLearnAtOnceInSeveralThreads) {
  const auto [tokens, targets] = batch_of(kSmall);
  Gpt2 model = small_model();
  mean_loss(model, tokens, targets, 0.0, &kKey).backward();

  std::vector<std::unique_ptr<Model>> replicas;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) replicas.push_back(model.replica());
  for (const auto& replica : replicas) {
    threads.emplace_back(
        [&, tokens = tokens, targets = targets] { mean_loss(*replica, tokens, targets, 0.0, &kKey).backward(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& replica : replicas) {
    for (std::size_t i = 0; i < model.parameters().size(); ++i) {
      const Parameter &mine = model.parameters()[i], &theirs = replica->parameters()[i];
      EXPECT_EQ(mine.value.const_data_ptr(), theirs.value.const_data_ptr()) << mine.name;
      EXPECT_LT(relative_error(theirs.value.grad(), mine.value.grad()), 1e-6) << mine.name;
      EXPECT_NE(mine.value.grad().const_data_ptr(), theirs.value.grad().const_data_ptr()) << mine.name;
    }
  }
}

TEST(Gpt2, LearnsNothingForTokensAndPositionsItHasNotSeen) {
  Gpt2 model = small_model();
  const at::Tensor tokens = at::zeros({1, 3}, at::kLong);
  Memory memory;
  model.hidden(tokens, memory, nullptr).square().sum().backward();
  EXPECT_TRUE(model.parameters()[0].value.grad().slice(0, 1).eq(0).all().item<bool>());
  EXPECT_TRUE(model.parameters()[1].value.grad().slice(0, 3).eq(0).all().item<bool>());
  EXPECT_FALSE(model.parameters()[1].value.grad()[2].eq(0).any().item<bool>());
}

TEST(Gpt2, StaysCloseInBfloat16) {
  const auto [tokens, targets] = batch_of(kSmall);
  Gpt2 exact = small_model(), rounded = small_model();
  set_matrix_dtype(rounded, at::kBFloat16);
  const at::Tensor loss = mean_loss(exact, tokens, targets, 0.0, &kKey);
  const at::Tensor rounded_loss = mean_loss(rounded, tokens, targets, 0.0, &kKey);
  EXPECT_EQ(rounded_loss.scalar_type(), at::kFloat);
  EXPECT_LT(relative_error(rounded_loss, loss), 1e-2);
  loss.backward();
  rounded_loss.backward();
  for (std::size_t i = 0; i < exact.parameters().size(); ++i) {
    const Parameter &mine = exact.parameters()[i], &theirs = rounded.parameters()[i];
    EXPECT_EQ(theirs.value.scalar_type(), theirs.decay ? at::kBFloat16 : at::kFloat) << mine.name;
    EXPECT_EQ(theirs.value.grad().scalar_type(), theirs.value.scalar_type()) << mine.name;
    EXPECT_LT(relative_error(theirs.value.grad(), mine.value.grad()), 0.05) << mine.name;
  }
}

TEST(Gpt2, RefusesWhatDoesNotFit) {
  EXPECT_THROW(make_model({.kind = "gpt2", .gpt2 = {.layers = 1, .width = 10, .heads = 3, .dropout = 0}}, 5, 5, 1),
               UsageError);
  EXPECT_THROW(make_model({.kind = "gtp2", .gpt2 = {}}, 5, 5, 1), UsageError);
  Gpt2 model = small_model();
  EXPECT_THROW(logits_of(model, random_tokens({1, kSmall.context + 1}, kSmall.vocabulary, 1)), Error);
}

// Worked by hand: 2 layers of 12 * 32^2 weights and 61 * 32 of output, six operations each, and 6 * 2 * 32 per
// position.
TEST(Gpt2, CountsItsOperations) {
  EXPECT_DOUBLE_EQ(small_model().training_flops_per_token(10), 6.0 * (24576 + 1952) + 3840);
}

}  // namespace
}  // namespace etude::models
