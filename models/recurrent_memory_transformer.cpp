#include "models/recurrent_memory_transformer.h"

#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"

namespace etude::models {

at::Tensor RecurrentMemoryTransformer::hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* key) {
  const at::Tensor embeddings = embed(tokens);
  const std::int64_t time = tokens.size(1), written_at = memory_tokens_ + segment_;
  const at::Tensor positions = positions_.to(at::kFloat);
  std::vector<at::Tensor> heard;
  at::Tensor state = begin(memory);
  std::uint32_t site = 0;
  for (std::int64_t first = 0; first < time; first += segment_, site += sites()) {
    const std::int64_t count = std::min(segment_, time - first);
    const at::Tensor x = at::cat({state + positions.slice(0, 0, memory_tokens_),
                                  embeddings.narrow(1, first, count) + positions.narrow(0, memory_tokens_, count),
                                  state + positions.slice(0, written_at, written_at + memory_tokens_)},
                                 1);
    const at::Tensor y = pass(x, key, site);
    heard.push_back(y.narrow(1, memory_tokens_, count));
    state = y.narrow(1, memory_tokens_ + count, memory_tokens_);
  }
  memory.tensors[0] = state.detach().contiguous();
  for (std::int64_t& count : memory.heard) count += time;
  return at::cat(heard, 1);
}

at::Tensor RecurrentMemoryTransformer::begin(const Memory& memory) const {
  const at::Tensor goes_on =
      at::tensor(memory.heard, at::kLong).gt(0).to(first_memory_.device()).view({std::ssize(memory.heard), 1, 1});
  return at::where(goes_on, memory.tensors[0], first_memory_.to(at::kFloat).unsqueeze(0));
}

void describe(config::Section& section, RecurrentMemoryOptions& options) {
  describe(section, options.gpt2);
  section.integer("memory_tokens", options.memory_tokens, {0, 65536},
                  "How many hidden states are carried from segment to segment; 0 makes this a GPT-2.");
  section.integer("backprop_segments", options.backprop_segments, {0, 1024},
                  "How many segments back gradients reach: data.sequence_length is cut into one segment more.");
}

RecurrentMemoryTransformer::RecurrentMemoryTransformer(const RecurrentMemoryOptions& options,
                                                       std::int64_t vocabulary_size, std::int64_t sequence_length,
                                                       std::uint64_t seed)
    : Gpt2(options.gpt2, vocabulary_size, sequence_length / (options.backprop_segments + 1) + 2 * options.memory_tokens,
           seed),
      memory_tokens_(options.memory_tokens),
      segment_(sequence_length / (options.backprop_segments + 1)) {
  if (sequence_length % (options.backprop_segments + 1) != 0) {
    throw UsageError(fmt::format("data.sequence_length {} cannot be cut into {} segments (model.backprop_segments + 1)",
                                 sequence_length, options.backprop_segments + 1));
  }
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(~seed);
  first_memory_ = at::empty({memory_tokens_, options_.width}, at::kFloat).normal_(0.0, kInitialDeviation, generator);
  register_weights();
}

void RecurrentMemoryTransformer::visit(const VisitWeight& visit) {
  Gpt2::visit(visit);
  if (memory_tokens_ > 0) visit("memory.weight", first_memory_, "memory");
}

std::int64_t RecurrentMemoryTransformer::context() const {
  return remembers() ? std::numeric_limits<std::int64_t>::max() : Gpt2::context();
}

Memory RecurrentMemoryTransformer::initial_memory(std::int64_t lanes, std::optional<std::int64_t> length) const {
  Memory memory = Gpt2::initial_memory(lanes, length);
  memory.tensors.push_back(at::zeros({lanes, memory_tokens_, options_.width},
                                     first_memory_.options().dtype(at::kFloat).requires_grad(false)));
  return memory;
}

std::unique_ptr<Model> RecurrentMemoryTransformer::replica() const {
  auto copy = std::make_unique<RecurrentMemoryTransformer>(*this);
  copy->become_replica();
  return copy;
}

nlohmann::json RecurrentMemoryTransformer::hugging_face_config() const {
  return memory_tokens_ > 0 ? nlohmann::json() : Gpt2::hugging_face_config();
}

double RecurrentMemoryTransformer::training_flops_per_token(std::int64_t) const {
  // A segment costs what it and its memories cost a GPT-2.
  const std::int64_t heard = segment_ + 2 * memory_tokens_;
  return Gpt2::training_flops_per_token(heard) * static_cast<double>(heard) / static_cast<double>(segment_);
}

std::optional<std::int64_t> RecurrentMemoryTransformer::reach(std::int64_t) const {
  return remembers() ? std::nullopt : std::optional(segment_);
}

}  // namespace etude::models
