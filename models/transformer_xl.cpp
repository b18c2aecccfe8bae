#include "models/transformer_xl.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "models/kernels/linear.h"

namespace etude::models {

namespace {

constexpr double kInitialDeviation = 0.02;

/// The places that drop something: these three, then four a layer.
enum Site : std::uint32_t { kEmbedding, kPositions, kLast, kOfLayers };
enum class LayerSite : std::uint32_t { kAttention, kAttentionOutput, kInner, kOuter };
std::uint32_t site_of(std::size_t layer, LayerSite site) {
  return kOfLayers + 4 * static_cast<std::uint32_t>(layer) + static_cast<std::uint32_t>(site);
}

TransformerXlOptions settled(TransformerXlOptions options, std::int64_t segment) {
  if (options.layers < 1 || options.width < 1 || options.heads < 1 || segment < 1) {
    throw UsageError("a Transformer-XL needs at least one layer, width, head and token in a segment");
  }
  if (options.width % options.heads != 0 || options.width % 2 != 0) {
    throw UsageError(fmt::format("model.width {} must be even and a multiple of model.heads {}: try a width of {}",
                                 options.width, options.heads,
                                 (options.width / (2 * options.heads) + 1) * 2 * options.heads));
  }
  if (options.inner == 0) options.inner = 4 * options.width;
  if (options.memory < 0) options.memory = segment;
  if (options.same_length && options.memory == 0) {
    throw UsageError("model.same_length: without model.memory no token would see anything");
  }
  return options;
}

}  // namespace

void describe(config::Section& section, TransformerXlOptions& options) {
  section.integer("layers", options.layers, {1, 1024}, "How many transformer layers lie on each other.");
  section.integer("width", options.width, {1, 65536}, "Size of the hidden states; even, and a multiple of heads.");
  section.integer("heads", options.heads, {1, 1024}, "How many attention heads each layer has.");
  section.integer("inner", options.inner, {0, 1 << 20}, "Width of the feed-forward network; 0 for 4 * width.");
  section.integer("memory", options.memory, {-1, 1 << 24},
                  "Hidden states of earlier tokens that each layer can look back at; -1 for data.sequence_length.");
  section.boolean("same_length", options.same_length,
                  "Every token sees the same number of others, model.memory with its own, wherever in its segment it "
                  "stands.");
  section.integer("clamp_length", options.clamp_length, {0, 1 << 24},
                  "Tokens farther away than this count as this far; 0 for no limit. Helps when memory at evaluation is "
                  "much longer than in training.");
  section.boolean("share_biases", options.share_biases,
                  "All layers share the two biases that stand in for a query's own position.");
  section.choice("normalisation", options.normalisation,
                 {{"after", Normalisation::kAfter}, {"before", Normalisation::kBefore}},
                 "Whether layers are normalised after their sum with the residual, as in the paper, or before it.");
  describe(section.section("adaptive", "Softmax and embeddings for large vocabularies."), options.adaptive);
  section.number("dropout", options.dropout, {0.0, 0.95},
                 "Probability with which training drops an embedding or a layer's output.");
  section.number("attention_dropout", options.attention_dropout, {0.0, 0.95},
                 "Probability with which training drops an attention weight.");
}

at::Tensor pushed(const at::Tensor& memory, const at::Tensor& newest) {
  const std::int64_t slots = memory.size(1), time = newest.size(1);
  if (time >= slots) return newest.narrow(1, time - slots, slots).clone();
  return at::cat({memory.narrow(1, time, slots - time), newest}, 1);
}

at::Tensor sinusoids(const at::Tensor& distances, std::int64_t width) {
  const at::Tensor exponents = at::arange(0, width, 2, distances.options()) / static_cast<double>(width);
  const at::Tensor angles = at::outer(distances, at::pow(10000.0, exponents).reciprocal());
  return at::cat({angles.sin(), angles.cos()}, -1);
}

TransformerXl::TransformerXl(const TransformerXlOptions& options, std::int64_t vocabulary_size, std::int64_t segment,
                             std::uint64_t seed)
    : TransformerXl(settled(options, segment), vocabulary_size, at::make_generator<at::CPUGeneratorImpl>(seed)) {}

TransformerXl::TransformerXl(const TransformerXlOptions& options, std::int64_t vocabulary_size, at::Generator generator)
    : options_(options), vocabulary_(options.adaptive, vocabulary_size, options.width, generator) {
  const std::int64_t width = options_.width, inner = options_.inner;
  const auto normal = [&](std::int64_t rows, std::int64_t columns) {
    return at::empty({rows, columns}, at::kFloat).normal_(0.0, kInitialDeviation, generator);
  };
  const auto norm = [&] {
    return Norm{at::empty({width}, at::kFloat).normal_(1.0, kInitialDeviation, generator),
                at::zeros({width}, at::kFloat)};
  };
  for (std::int64_t i = 0; i < options_.layers; ++i) {
    Layer layer;
    layer.queries_keys_values = normal(3 * width, width);
    layer.position_keys = normal(width, width);
    if (i == 0 || !options_.share_biases) {
      layer.content_bias = normal(options_.heads, width / options_.heads);
      layer.position_bias = normal(options_.heads, width / options_.heads);
    }
    layer.attention_output = normal(width, width);
    layer.attention_norm = norm();
    layer.inner_weight = normal(inner, width);
    layer.inner_bias = at::zeros({inner}, at::kFloat);
    layer.outer_weight = normal(width, inner);
    layer.outer_bias = at::zeros({width}, at::kFloat);
    layer.feed_forward_norm = norm();
    layers_.push_back(std::move(layer));
  }
  register_weights();
}

void TransformerXl::visit(const VisitWeight& visit) {
  vocabulary_.visit(visit);
  if (options_.share_biases) {
    visit("transformer.r_w_bias", layers_[0].content_bias, "attention");
    visit("transformer.r_r_bias", layers_[0].position_bias, "attention");
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const std::string prefix = fmt::format("transformer.layers.{}.", i), attention = prefix + "dec_attn.",
                      feed_forward = prefix + "pos_ff.";
    if (!options_.share_biases) {
      visit(attention + "r_w_bias", layer.content_bias, "attention");
      visit(attention + "r_r_bias", layer.position_bias, "attention");
    }
    visit(attention + "qkv_net.weight", layer.queries_keys_values, "attention");
    visit(attention + "r_net.weight", layer.position_keys, "attention to positions");
    visit(attention + "o_net.weight", layer.attention_output, "attention");
    visit(attention + "layer_norm.weight", layer.attention_norm.weight, "normalisation");
    visit(attention + "layer_norm.bias", layer.attention_norm.bias, "normalisation");
    visit(feed_forward + "CoreNet.0.weight", layer.inner_weight, "feed-forward");
    visit(feed_forward + "CoreNet.0.bias", layer.inner_bias, "feed-forward");
    visit(feed_forward + "CoreNet.3.weight", layer.outer_weight, "feed-forward");
    visit(feed_forward + "CoreNet.3.bias", layer.outer_bias, "feed-forward");
    visit(feed_forward + "layer_norm.weight", layer.feed_forward_norm.weight, "normalisation");
    visit(feed_forward + "layer_norm.bias", layer.feed_forward_norm.bias, "normalisation");
  }
}

std::int64_t TransformerXl::context() const { return std::numeric_limits<std::int64_t>::max(); }

Memory TransformerXl::initial_memory(std::int64_t lanes, std::optional<std::int64_t> length) const {
  Memory memory = Model::initial_memory(lanes, std::nullopt);
  const at::Tensor empty = at::zeros({lanes, length.value_or(options_.memory), options_.width},
                                     layers_[0].content_bias.options().requires_grad(false));
  for (std::size_t i = 0; i < layers_.size(); ++i) memory.tensors.push_back(i == 0 ? empty : at::zeros_like(empty));
  return memory;
}

std::int64_t TransformerXl::recalled(const Memory& memory, std::int64_t heard) const {
  return std::min(heard, memory.tensors[0].size(1));
}

at::Tensor TransformerXl::recall(const Memory& memory, std::size_t layer) const { return memory.tensors[layer]; }

void TransformerXl::remember(Memory& memory, const std::vector<at::Tensor>& inputs) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) memory.tensors[i] = pushed(memory.tensors[i], inputs[i].detach());
}

TransformerXl::Pass TransformerXl::begin(std::int64_t time, const Memory& memory, const DropoutKey* key) const {
  Pass pass;
  pass.key = key;
  pass.looking.heads = options_.heads;
  for (const std::int64_t heard : memory.heard) pass.length = std::max(pass.length, recalled(memory, heard));
  for (const std::int64_t heard : memory.heard) {
    pass.looking.first_key.push_back(pass.length - recalled(memory, heard));
  }
  if (options_.same_length) pass.looking.window = recalled(memory, std::numeric_limits<std::int64_t>::max());
  pass.looking.rate = options_.attention_dropout;
  pass.looking.key = key;

  const at::TensorOptions options = layers_[0].content_bias.options().requires_grad(false);
  at::Tensor distances = at::arange(pass.length + time - 1, -1, -1, options);
  if (options_.clamp_length > 0) distances = distances.clamp_max(options_.clamp_length);
  pass.positions = dropout(sinusoids(distances, options_.width), options_.dropout, key, kPositions);
  return pass;
}

at::Tensor TransformerXl::normalise(const at::Tensor& x, const Norm& norm) const {
  return at::layer_norm(x, {options_.width}, norm.weight, norm.bias, kNormEpsilon);
}

at::Tensor TransformerXl::attend(std::size_t index, const at::Tensor& x, const Memory& memory, const Pass& pass) const {
  const Layer &layer = layers_[index], &biases = layer_with_biases(index);
  const std::int64_t width = options_.width;
  at::Tensor past = recall(memory, index);
  past = past.narrow(1, past.size(1) - pass.length, pass.length);
  const bool before = normalises_before();
  const at::Tensor qkv = product(before ? normalise(x, layer.attention_norm) : x, layer.queries_keys_values.t());
  const at::Tensor past_keys_values = product(before ? normalise(past, layer.attention_norm) : past,
                                              layer.queries_keys_values.narrow(0, width, 2 * width).t());
  const at::Tensor positions = product(pass.positions, layer.position_keys.t());
  RelativeAttention looking = pass.looking;
  looking.site = site_of(index, LayerSite::kAttention);
  const at::Tensor mixed =
      relative_attention(qkv, past_keys_values, positions, biases.content_bias.view({width}).to(qkv.scalar_type()),
                         biases.position_bias.view({width}).to(qkv.scalar_type()), looking);
  const at::Tensor found = product(mixed, layer.attention_output.t());
  const at::Tensor sum = x.add(dropout(found, options_.dropout, pass.key, site_of(index, LayerSite::kAttentionOutput)));
  return before ? sum : normalise(sum, layer.attention_norm);
}

at::Tensor TransformerXl::feed_forward(std::size_t index, const at::Tensor& x, const Pass& pass) const {
  const Layer& layer = layers_[index];
  const bool before = normalises_before();
  const auto drop = [&](const at::Tensor& y, LayerSite site) {
    return dropout(y, options_.dropout, pass.key, site_of(index, site));
  };
  const at::Tensor inner =
      linear(before ? normalise(x, layer.feed_forward_norm) : x, layer.inner_weight.t(), layer.inner_bias).relu();
  const at::Tensor outer = linear(drop(inner, LayerSite::kInner), layer.outer_weight.t(), layer.outer_bias);
  const at::Tensor sum = x.add(drop(outer, LayerSite::kOuter));
  return before ? sum : normalise(sum, layer.feed_forward_norm);
}

at::Tensor TransformerXl::hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* key) {
  if (tokens.dim() != 2 || tokens.scalar_type() != at::kLong) throw Error("tokens must be int64 [batch, time]");
  const Pass pass = begin(tokens.size(1), memory, key);
  at::Tensor x = dropout(vocabulary_.embed(tokens), options_.dropout, key, kEmbedding);
  std::vector<at::Tensor> inputs;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    inputs.push_back(x);
    x = feed_forward(i, attend(i, x, memory, pass), pass);
  }
  remember(memory, inputs);
  for (std::int64_t& heard : memory.heard) heard += tokens.size(1);
  return dropout(x, options_.dropout, key, kLast);
}

at::Tensor TransformerXl::logits(const at::Tensor& hidden) { return vocabulary_.logits(hidden); }

at::Tensor TransformerXl::loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) {
  return vocabulary_.loss_sum(hidden, targets, label_smoothing);
}

std::unique_ptr<Model> TransformerXl::replica() const {
  auto copy = std::make_unique<TransformerXl>(*this);
  copy->become_replica();
  return copy;
}

nlohmann::json TransformerXl::hugging_face_config() const {
  return {{"architectures", {"TransfoXLLMHeadModel"}},
          {"model_type", "transfo-xl"},
          {"vocab_size", vocabulary_size()},
          {"cutoffs", options_.adaptive.cutoffs},
          {"div_val", options_.adaptive.cutoffs.empty() ? 1 : options_.adaptive.divisor},
          {"d_model", options_.width},
          {"d_embed", options_.width},
          {"n_head", options_.heads},
          {"d_head", options_.width / options_.heads},
          {"d_inner", options_.inner},
          {"n_layer", options_.layers},
          {"mem_len", options_.memory},
          {"same_length", options_.same_length},
          {"clamp_len", options_.clamp_length > 0 ? options_.clamp_length : -1},
          {"untie_r", !options_.share_biases},
          {"pre_lnorm", normalises_before()},
          {"dropout", options_.dropout},
          {"dropatt", options_.attention_dropout},
          {"layer_norm_epsilon", kNormEpsilon},
          {"init_std", kInitialDeviation},
          {"proj_share_all_but_first", true},
          {"tie_word_embeddings", true},
          {"eos_token_id", nullptr},
          {"torch_dtype", "float32"}};
}

double TransformerXl::training_flops_per_token(std::int64_t sequence_length) const {
  return flops_per_token(sequence_length, options_.memory);
}

double TransformerXl::flops_per_token(std::int64_t sequence_length, std::int64_t slots) const {
  const auto width = static_cast<double>(options_.width), segment = static_cast<double>(sequence_length),
             memory = static_cast<double>(slots);
  // Multiplications forward: weights (those of positions are shared by a batch's rows and left out), keys and values of
  // the memory, and three products of attention with the memory and half of the segment.
  const double weights = 4.0 * width * width + 2.0 * width * static_cast<double>(options_.inner);
  const double memorised = 2.0 * width * width * memory / segment;
  const double attention = 3.0 * width * (memory + segment / 2.0);
  // Two operations each, and twice as many backward, but for the gradient of the memory, which nobody wants.
  return static_cast<double>(options_.layers) * (6.0 * (weights + attention) + 4.0 * memorised) +
         6.0 * width * static_cast<double>(vocabulary_size());
}

double TransformerXl::evaluation_flops_per_token(std::int64_t sequence_length) const {
  return forward_flops_per_token(sequence_length, options_.memory);
}

double TransformerXl::forward_flops_per_token(std::int64_t sequence_length, std::int64_t slots) const {
  // A third of training, but for keys and values of the memory, of which training makes two thirds.
  const double memorised =
      2.0 * static_cast<double>(options_.width * options_.width * slots) / static_cast<double>(sequence_length);
  return (flops_per_token(sequence_length, slots) + 2.0 * static_cast<double>(options_.layers) * memorised) / 3.0;
}

std::optional<std::int64_t> TransformerXl::reach(std::int64_t sequence_length) const {
  return options_.layers * options_.memory + sequence_length;
}

}  // namespace etude::models
