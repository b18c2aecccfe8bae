#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "framework/config/options.h"
#include "models/adaptive_vocabulary.h"
#include "models/kernels/relative_attention.h"
#include "models/weights.h"

namespace etude::models {

enum class Normalisation { kAfter, kBefore };

struct TransformerXlOptions {
  std::int64_t layers = 6;
  std::int64_t width = 256;
  std::int64_t heads = 8;
  std::int64_t inner = 0;         ///< width of the feed-forward network; 0 for 4 * width
  std::int64_t memory = -1;       ///< hidden states each layer remembers; -1 for as many as a segment has
  bool same_length = false;       ///< each token sees `memory` keys, its own included, wherever it stands
  std::int64_t clamp_length = 0;  ///< larger distances count as this one; 0 for none
  bool share_biases = false;      ///< u and v of the paper are those of all layers
  Normalisation normalisation = Normalisation::kAfter;
  AdaptiveOptions adaptive{};
  double dropout = 0.1;
  double attention_dropout = 0.0;
};
void describe(config::Section& section, TransformerXlOptions& options);

/// The decoder of Dai et al. 2019 ("Transformer-XL: Attentive language models beyond a fixed-length context", section
/// 3): each layer attends to the hidden states that it was given in the segments before, by relative positions. Names,
/// shapes and numbers are those of Hugging Face's TransfoXLLMHeadModel (transformers 4.35).
class TransformerXl : public WeightedModel {
 public:
  /// `segment`: tokens the model hears at a time (data.sequence_length). Throws UsageError when the options do not fit
  /// together.
  TransformerXl(const TransformerXlOptions& options, std::int64_t vocabulary_size, std::int64_t segment,
                std::uint64_t seed);

  std::string kind() const override { return "transformer_xl"; }
  std::int64_t context() const override;
  std::int64_t vocabulary_size() const override { return vocabulary_.size(); }
  bool remembers() const override { return true; }

  at::Tensor hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* dropout) override;
  at::Tensor logits(const at::Tensor& hidden) override;
  at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) override;
  Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t> length = std::nullopt) const override;
  std::unique_ptr<Decoder> decoder(std::int64_t batch) override;
  std::unique_ptr<Model> replica() const override;
  nlohmann::json hugging_face_config() const override;
  double training_flops_per_token(std::int64_t sequence_length) const override;
  double evaluation_flops_per_token(std::int64_t sequence_length) const override;
  std::optional<std::int64_t> reach(std::int64_t sequence_length) const override;

 protected:
  struct Norm {
    at::Tensor weight, bias;  ///< [width]
  };
  struct Layer {
    at::Tensor queries_keys_values;          ///< [3 * width, width], as torch.nn.Linear
    at::Tensor position_keys;                ///< W_k,R of the paper, [width, width]
    /// u and v of the paper, [heads, width of a head]; where all layers share them, the first layer's alone.
    at::Tensor content_bias, position_bias;
    at::Tensor attention_output;             ///< [width, width]
    Norm attention_norm;
    at::Tensor inner_weight, inner_bias;  ///< [inner, width], [inner]
    at::Tensor outer_weight, outer_bias;  ///< [width, inner], [width]
    Norm feed_forward_norm;
  };

  // The places where models of this family differ: what a layer looks back at, and what becomes of what was heard.

  /// How many hidden states a lane that heard so many tokens can look back at.
  virtual std::int64_t recalled(const Memory& memory, std::int64_t heard) const;
  /// What layer `layer` looks back at, [lanes, any length, width]; a lane's own are the last recalled() of them.
  virtual at::Tensor recall(const Memory& memory, std::size_t layer) const;
  /// Takes what the layers were given of a segment, [lanes, time, width] each, into the memory. `heard` has not been
  /// counted up yet.
  virtual void remember(Memory& memory, const std::vector<at::Tensor>& inputs) const;

  void visit(const VisitWeight& visit) override;
  at::Tensor normalise(const at::Tensor& x, const Norm& norm) const;
  bool normalises_before() const { return options_.normalisation == Normalisation::kBefore; }
  const Layer& layer_with_biases(std::size_t index) const { return layers_[options_.share_biases ? 0 : index]; }
  /// training_flops_per_token() where layers look back at `slots` hidden states, and evaluation_flops_per_token().
  double flops_per_token(std::int64_t sequence_length, std::int64_t slots) const;
  double forward_flops_per_token(std::int64_t sequence_length, std::int64_t slots) const;

  TransformerXlOptions options_;  ///< with nothing left to be chosen: inner and memory are what they are
  std::vector<Layer> layers_;

 private:
  friend class TransformerXlDecoder;
  static constexpr double kNormEpsilon = 1e-5;

  /// What all layers of one segment share.
  struct Pass {
    const DropoutKey* key = nullptr;
    std::int64_t length = 0;  ///< hidden states that some lane looks back at
    at::Tensor positions;     ///< [length + time, width]: the sinusoids of the distances, the largest first
    RelativeAttention looking;
  };
  Pass begin(std::int64_t time, const Memory& memory, const DropoutKey* key) const;
  at::Tensor attend(std::size_t index, const at::Tensor& x, const Memory& memory, const Pass& pass) const;
  at::Tensor feed_forward(std::size_t index, const at::Tensor& x, const Pass& pass) const;
  TransformerXl(const TransformerXlOptions& options, std::int64_t vocabulary_size, at::Generator generator);

  AdaptiveVocabulary vocabulary_;
};

/// A memory [lanes, slots, width] after the newest states [lanes, any, width]: those of its slots' number that are
/// last.
at::Tensor pushed(const at::Tensor& memory, const at::Tensor& newest);

/// R of the paper's section 3.3: sinusoids [distances, width] of distances float32, all sines before all cosines.
at::Tensor sinusoids(const at::Tensor& distances, std::int64_t width);

}  // namespace etude::models
