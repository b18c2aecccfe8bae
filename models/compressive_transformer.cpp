#include "models/compressive_transformer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "models/kernels/linear.h"

namespace etude::models {

std::int64_t CompressiveTransformer::recalled(const Memory& memory, std::int64_t heard) const {
  const std::int64_t kept = TransformerXl::recalled(memory, heard), slots = memory.tensors.back().size(1);
  return kept + std::min((heard - kept) / rate_, slots);
}

at::Tensor CompressiveTransformer::recall(const Memory& memory, std::size_t layer) const {
  return at::cat({memory.tensors[layers_.size() + layer], memory.tensors[layer]}, 1);
}

void CompressiveTransformer::remember(Memory& memory, const std::vector<at::Tensor>& inputs) const {
  const std::int64_t time = inputs[0].size(1), slots = memory.tensors[0].size(1);
  std::vector<std::int64_t> absent;  // of the states that fall out now, how many each lane never heard
  for (const std::int64_t heard : memory.heard) {
    if (heard % rate_ != 0) {
      throw UsageError(
          fmt::format("this model goes on after multiples of {} tokens (model.rate), not after {}", rate_, heard));
    }
    absent.push_back(std::clamp<std::int64_t>(slots - heard, 0, time));
  }
  const bool some_fall = std::ranges::any_of(absent, [&](std::int64_t count) { return count < time; });
  memory.loss = at::Tensor();
  for (std::size_t i = 0; some_fall && i < inputs.size(); ++i) {
    const at::Tensor states = at::cat({memory.tensors[i], inputs[i].detach()}, 1);
    const at::Tensor old = states.narrow(1, 0, time / rate_ * rate_), compressed = compress(i, old);
    at::Tensor& second = memory.tensors[layers_.size() + i];
    second = pushed(second, compressed.detach());
    if (!compressed.requires_grad()) continue;
    const at::Tensor loss = reconstruction_loss(i, inputs[i].detach(), old, compressed, absent);
    memory.loss = memory.loss.defined() ? memory.loss + loss : loss;
  }
  TransformerXl::remember(memory, inputs);
}

at::Tensor CompressiveTransformer::compress(std::size_t layer, const at::Tensor& states) const {
  const std::int64_t width = states.size(2);
  const at::Tensor blocks = states.reshape({states.size(0), states.size(1) / rate_, rate_, width});
  switch (compression_) {
    case Compression::kMean:
      return blocks.mean(2);
    case Compression::kMax:
      return blocks.amax(2);
    case Compression::kConvolution:
      break;
  }
  const at::Tensor weight = convolutions_[layer].view({width, width * rate_});
  return linear(blocks.transpose(2, 3).flatten(2), weight.t(), biases_[layer]).to(at::kFloat);
}

at::Tensor CompressiveTransformer::reconstruction_loss(std::size_t layer, const at::Tensor& input,
                                                       const at::Tensor& old, const at::Tensor& compressed,
                                                       const std::vector<std::int64_t>& absent) const {
  std::vector<std::int64_t> lanes, missing;
  for (std::size_t lane = 0; lane < absent.size(); ++lane) {
    if (absent[lane] >= old.size(1)) continue;
    lanes.push_back(static_cast<std::int64_t>(lane));
    missing.push_back(absent[lane]);
  }
  const at::Device device = input.device();
  const at::Tensor rows = at::tensor(lanes, at::kLong).to(device);
  const at::Tensor first = at::tensor(missing, at::kLong).to(device).view({-1, 1, 1, 1});
  const std::int64_t width = options_.width, heads = options_.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(width / heads));
  const Layer& weights = layers_[layer];
  const Norm norm{weights.attention_norm.weight.detach(), weights.attention_norm.bias.detach()};
  const at::Tensor projection = weights.queries_keys_values.detach();
  const auto projected = [&](const at::Tensor& x, std::int64_t begin, std::int64_t parts) {
    const at::Tensor given = x.index_select(0, rows);
    const at::Tensor y = product(normalises_before() ? normalise(given, norm) : given,
                                 projection.narrow(0, begin * width, parts * width).t());
    return y.to(at::kFloat).view({y.size(0), y.size(1), parts, heads, -1}).permute({2, 0, 3, 1, 4});
  };
  const at::Tensor queries = projected(input, 0, 1)[0];
  const auto answer = [&](const at::Tensor& states, const at::Tensor& first_state) {
    const at::Tensor keys_values = projected(states, 1, 2);
    const at::Tensor place = at::arange(states.size(1), first_state.options());
    const at::Tensor scores = at::matmul(queries, keys_values[0].transpose(2, 3)).mul(scale);
    const at::Tensor heard =
        scores.masked_fill(place.lt(first_state), -std::numeric_limits<double>::infinity()).softmax(-1);
    return at::matmul(heard, keys_values[1]);
  };
  const at::Tensor difference = answer(old, first) - answer(compressed, first.floor_divide(rate_));
  return difference.square().sum() / static_cast<double>(width);
}

namespace {

TransformerXlOptions settled(const CompressiveTransformerOptions& options, std::int64_t segment) {
  TransformerXlOptions inner = options.transformer_xl;
  if (inner.memory < 0) inner.memory = segment;
  if (options.rate < 1 || segment % options.rate != 0 || inner.memory % options.rate != 0) {
    throw UsageError(fmt::format("data.sequence_length {} and model.memory {} must be multiples of model.rate {}",
                                 segment, inner.memory, options.rate));
  }
  if (inner.memory < segment) {
    throw UsageError(fmt::format("model.memory {} must be at least as long as a segment, {} (data.sequence_length)",
                                 inner.memory, segment));
  }
  return inner;
}

}  // namespace

void describe(config::Section& section, CompressiveTransformerOptions& options) {
  describe(section, options.transformer_xl);
  section.integer("compressed", options.compressed, {-1, 1 << 24},
                  "Slots of the compressed memory before the first; -1 for as many as model.memory.");
  section.integer("rate", options.rate, {1, 1024}, "How many hidden states become one when they are compressed.");
  section.choice("compression", options.compression,
                 {{"convolution", Compression::kConvolution}, {"mean", Compression::kMean}, {"max", Compression::kMax}},
                 "How they do: by weights that are learned, by their mean or by the largest of each value.");
}

CompressiveTransformer::CompressiveTransformer(const CompressiveTransformerOptions& options,
                                               std::int64_t vocabulary_size, std::int64_t segment, std::uint64_t seed)
    : TransformerXl(settled(options, segment), vocabulary_size, segment, seed),
      slots_(options.compressed < 0 ? options_.memory : options.compressed),
      rate_(options.rate),
      compression_(options.compression) {
  const std::int64_t width = options_.width;
  for (std::size_t i = 0; compression_ == Compression::kConvolution && i < layers_.size(); ++i) {
    // Begins as the mean: what is remembered makes sense before anything is learned.
    const at::Tensor mean = at::eye(width, at::kFloat).div(static_cast<double>(rate_));
    convolutions_.push_back(mean.unsqueeze(2).repeat({1, 1, rate_}));
    biases_.push_back(at::zeros({width}, at::kFloat));
  }
  register_weights();
}

void CompressiveTransformer::visit(const VisitWeight& visit) {
  TransformerXl::visit(visit);
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    visit(fmt::format("transformer.layers.{}.compression.weight", i), convolutions_[i], kCompressionPart);
    visit(fmt::format("transformer.layers.{}.compression.bias", i), biases_[i], kCompressionPart);
  }
}

Memory CompressiveTransformer::initial_memory(std::int64_t lanes, std::optional<std::int64_t> length) const {
  Memory memory = TransformerXl::initial_memory(lanes, length);
  if (memory.tensors[0].size(1) % rate_ != 0) {
    throw UsageError(fmt::format("a memory of {} tokens is no multiple of model.rate {}", *length, rate_));
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    memory.tensors.push_back(at::zeros({lanes, slots_, options_.width}, memory.tensors[0].options()));
  }
  return memory;
}

std::unique_ptr<Model> CompressiveTransformer::replica() const {
  auto copy = std::make_unique<CompressiveTransformer>(*this);
  copy->become_replica();
  return copy;
}

nlohmann::json CompressiveTransformer::hugging_face_config() const { return {}; }

double CompressiveTransformer::training_flops_per_token(std::int64_t sequence_length) const {
  const auto layers = static_cast<double>(options_.layers), width = static_cast<double>(options_.width),
             segment = static_cast<double>(sequence_length), rate = static_cast<double>(rate_);
  double flops = flops_per_token(sequence_length, options_.memory + slots_);
  if (compression_ == Compression::kConvolution) {
    // The compression of what falls out, a state for each that comes, and its loss: two answers from a segment of old
    // states, the shorter of them forward and backward.
    const double products = width * width * (1.0 + 2.0 + 2.0 / rate) + 2.0 * width * segment / rate;
    flops += layers * (6.0 * products + 2.0 * 2.0 * width * segment);
  }
  return flops;
}

double CompressiveTransformer::evaluation_flops_per_token(std::int64_t sequence_length) const {
  const auto width = static_cast<double>(options_.width);
  const double compression = compression_ == Compression::kConvolution ? 2.0 * width * width : 0.0;
  return forward_flops_per_token(sequence_length, options_.memory + slots_) +
         static_cast<double>(options_.layers) * compression;
}

std::optional<std::int64_t> CompressiveTransformer::reach(std::int64_t sequence_length) const {
  return options_.layers * (options_.memory + slots_ * rate_) + sequence_length;
}

}  // namespace etude::models
