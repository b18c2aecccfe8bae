#include "models/gpt2.h"

#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "models/kernels/attention.h"
#include "models/kernels/cross_entropy.h"
#include "models/kernels/gelu.h"
#include "models/kernels/linear.h"

namespace etude::models {

void describe(config::Section& section, Gpt2Options& options) {
  section.integer("layers", options.layers, {1, 1024}, "How many transformer layers lie on each other.");
  section.integer("width", options.width, {1, 65536}, "Size of the hidden states; a multiple of heads.");
  section.integer("heads", options.heads, {1, 1024}, "How many attention heads each layer has.");
  section.number("dropout", options.dropout, {0.0, 0.95},
                 "Probability with which training drops an embedding, an attention weight or a layer's output.");
}

Gpt2::Gpt2(const Gpt2Options& options, std::int64_t vocabulary_size, std::int64_t context, std::uint64_t seed)
    : options_(options), vocabulary_size_(vocabulary_size), context_(context) {
  if (options.layers < 1 || options.width < 1 || options.heads < 1 || vocabulary_size < 1 || context < 1) {
    throw UsageError("a GPT-2 needs at least one layer, width, head, token and position");
  }
  if (options.width % options.heads != 0) {
    throw UsageError(fmt::format("model.width {} is not a multiple of model.heads {}: try a width of {}", options.width,
                                 options.heads, (options.width / options.heads + 1) * options.heads));
  }
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto matrix = [&](std::int64_t in, std::int64_t out, double deviation = kInitialDeviation) {
    return at::empty({in, out}, at::kFloat).normal_(0.0, deviation, generator);
  };
  // Outputs onto the residual stream start smaller, so that its variance does not grow with depth.
  const double output_deviation = kInitialDeviation / std::sqrt(2.0 * static_cast<double>(options.layers));
  const std::int64_t width = options.width;
  const auto norm = [&] { return Affine{at::ones({width}, at::kFloat), at::zeros({width}, at::kFloat)}; };
  const auto affine = [&](std::int64_t in, std::int64_t out, double deviation = kInitialDeviation) {
    return Affine{matrix(in, out, deviation), at::zeros({out}, at::kFloat)};
  };

  tokens_ = matrix(vocabulary_size, width);
  positions_ = matrix(context, width);
  for (std::int64_t i = 0; i < options.layers; ++i) {
    Layer layer;
    layer.attention_norm = norm();
    layer.attention_input = affine(width, 3 * width);
    layer.attention_output = affine(width, width, output_deviation);
    layer.mlp_norm = norm();
    layer.mlp_input = affine(width, 4 * width);
    layer.mlp_output = affine(4 * width, width, output_deviation);
    layers_.push_back(std::move(layer));
  }
  final_norm_ = norm();
  register_weights();
}

void Gpt2::visit(const VisitWeight& visit) {
  const auto visit_affine = [&](const std::string& name, Affine& affine, const char* part) {
    visit(name + ".weight", affine.weight, part);
    visit(name + ".bias", affine.bias, part);
  };
  visit("transformer.wte.weight", tokens_, "token embedding");
  visit("transformer.wpe.weight", positions_, "position embedding");
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string prefix = fmt::format("transformer.h.{}.", i);
    visit_affine(prefix + "ln_1", layers_[i].attention_norm, "normalisation");
    visit_affine(prefix + "attn.c_attn", layers_[i].attention_input, "attention");
    visit_affine(prefix + "attn.c_proj", layers_[i].attention_output, "attention");
    visit_affine(prefix + "ln_2", layers_[i].mlp_norm, "normalisation");
    visit_affine(prefix + "mlp.c_fc", layers_[i].mlp_input, "feed-forward");
    visit_affine(prefix + "mlp.c_proj", layers_[i].mlp_output, "feed-forward");
  }
  visit_affine("transformer.ln_f", final_norm_, "normalisation");
}

at::Tensor Gpt2::embed(const at::Tensor& tokens) const {
  if (tokens.dim() != 2 || tokens.scalar_type() != at::kLong) throw Error("tokens must be int64 [batch, time]");
  // Widened before the look-up, so that the gradients of a token's many places are summed in float32.
  return at::embedding(tokens_.to(at::kFloat), tokens);
}

at::Tensor Gpt2::normalise(const at::Tensor& x, const Affine& norm) const {
  return at::layer_norm(x, {options_.width}, norm.weight, norm.bias, kNormEpsilon);
}

at::Tensor Gpt2::mlp(const at::Tensor& x, const Layer& layer) const {
  const at::Tensor inner = linear(x, layer.mlp_input.weight, layer.mlp_input.bias);
  return linear(gelu(inner), layer.mlp_output.weight, layer.mlp_output.bias);
}

at::Tensor Gpt2::hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* key) {
  const at::Tensor embeddings = embed(tokens);
  const std::int64_t time = tokens.size(1);
  if (time > context_) {
    throw Error(fmt::format(
        "{} tokens do not fit into this model's context of {} (data.sequence_length it was made for)", time, context_));
  }
  for (std::int64_t& heard : memory.heard) heard += time;
  return pass(embeddings.add(positions_.slice(0, 0, time).to(at::kFloat)), key);
}

at::Tensor Gpt2::pass(const at::Tensor& embeddings, const DropoutKey* key, std::uint32_t site) const {
  const double rate = options_.dropout;
  at::Tensor x = dropout(embeddings, rate, key, site);
  for (const Layer& layer : layers_) {
    const at::Tensor qkv =
        linear(normalise(x, layer.attention_norm), layer.attention_input.weight, layer.attention_input.bias);
    const at::Tensor mixed = causal_attention(qkv, options_.heads, rate, key, ++site);
    const at::Tensor attended = linear(mixed, layer.attention_output.weight, layer.attention_output.bias);
    x = x.add(dropout(attended, rate, key, ++site));
    x = x.add(dropout(mlp(normalise(x, layer.mlp_norm), layer), rate, key, ++site));
  }
  return normalise(x, final_norm_);
}

at::Tensor Gpt2::logits(const at::Tensor& hidden) { return product(hidden, tokens_.t()).to(at::kFloat); }

at::Tensor Gpt2::loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) {
  return linear_cross_entropy(hidden.reshape({-1, hidden.size(-1)}), tokens_, {}, targets.reshape({-1}),
                              label_smoothing);
}

std::unique_ptr<Model> Gpt2::replica() const {
  auto copy = std::make_unique<Gpt2>(*this);
  copy->become_replica();
  return copy;
}

nlohmann::json Gpt2::hugging_face_config() const {
  return {{"architectures", {"GPT2LMHeadModel"}},
          {"model_type", "gpt2"},
          {"vocab_size", vocabulary_size_},
          {"n_positions", context_},
          {"n_embd", options_.width},
          {"n_layer", options_.layers},
          {"n_head", options_.heads},
          {"activation_function", "gelu_new"},
          {"embd_pdrop", options_.dropout},
          {"attn_pdrop", options_.dropout},
          {"resid_pdrop", options_.dropout},
          {"layer_norm_epsilon", kNormEpsilon},
          {"initializer_range", kInitialDeviation},
          {"tie_word_embeddings", true},
          {"bos_token_id", nullptr},
          {"eos_token_id", nullptr},
          {"torch_dtype", "float32"}};
}

double Gpt2::training_flops_per_token(std::int64_t sequence_length) const {
  const auto layers = static_cast<double>(options_.layers), width = static_cast<double>(options_.width);
  // N counts the weights that multiply: 12 width^2 a layer and the output. Attention looks at half of the sequence on
  // average, so queries times keys and weights times values make 2 * width * sequence_length forward, thrice in all.
  const double multiplying = layers * 12.0 * width * width + static_cast<double>(vocabulary_size_) * width;
  return 6.0 * multiplying + 6.0 * layers * width * static_cast<double>(sequence_length);
}

}  // namespace etude::models
