#pragma once

#include "models/gpt2.h"

namespace etude::models {

struct RecurrentMemoryOptions {
  Gpt2Options gpt2{};
  std::int64_t memory_tokens = 16;
  std::int64_t backprop_segments = 1;
};
void describe(config::Section& section, RecurrentMemoryOptions& options);

/// The decoder of Bulatov et al. 2022 ("Recurrent memory transformer", section 3.2): a GPT-2 that hears
/// [memory, segment, memory]. What it makes of the memory behind a segment is the memory of the next. A sequence is cut
/// into `backprop_segments` + 1 segments, so that what the last one learns reaches that many segments back; across
/// sequences memory goes on without gradient.
class RecurrentMemoryTransformer : public Gpt2 {
 public:
  /// `sequence_length`: tokens of the longest sequence. Throws UsageError when it cannot be cut so.
  RecurrentMemoryTransformer(const RecurrentMemoryOptions& options, std::int64_t vocabulary_size,
                             std::int64_t sequence_length, std::uint64_t seed);

  std::string kind() const override { return "recurrent_memory_transformer"; }
  std::int64_t context() const override;
  bool remembers() const override { return memory_tokens_ > 0; }
  /// One tensor [lanes, memory tokens, width]: the last hidden states of the memory behind the last segment.
  Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t> length = std::nullopt) const override;
  at::Tensor hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* dropout) override;
  std::unique_ptr<Decoder> decoder(std::int64_t batch) override;
  std::unique_ptr<Model> replica() const override;
  nlohmann::json hugging_face_config() const override;
  double training_flops_per_token(std::int64_t sequence_length) const override;
  /// No bound, where there are memory tokens.
  std::optional<std::int64_t> reach(std::int64_t sequence_length) const override;

  /// Tokens between one memory and the next.
  std::int64_t segment() const { return segment_; }

 protected:
  void visit(const VisitWeight& visit) override;

 private:
  friend class RecurrentMemoryDecoder;

  /// What the first segment of a sequence reads, [lanes, memory tokens, width].
  at::Tensor begin(const Memory& memory) const;

  std::int64_t memory_tokens_, segment_;
  at::Tensor first_memory_;  ///< what a piece begins with, [memory tokens, width]
};

}  // namespace etude::models
