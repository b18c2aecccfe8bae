#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/config/options.h"
#include "models/adaptive_vocabulary.h"
#include "models/model.h"

namespace etude::models {

enum class Normalisation { kAfter, kBefore };

struct TransformerXlOptions {
  std::int64_t layers = 6;
  std::int64_t width = 256;
  std::int64_t heads = 8;
  std::int64_t inner = 0;   ///< width of the feed-forward network; 0 for 4 * width
  std::int64_t memory = 0;  ///< hidden states each layer remembers; 0 for as many as a segment has
  bool same_length = false;
  std::int64_t clamp_length = 0;
  bool share_biases = false;
  Normalisation normalisation = Normalisation::kAfter;
  AdaptiveOptions adaptive;
  double dropout = 0.1;
  double attention_dropout = 0.0;
};
void describe(config::Section& section, TransformerXlOptions& options);

/// The decoder of Dai et al. 2019 ("Transformer-XL: Attentive language models beyond a fixed-length context", section
/// 3): each layer attends to the hidden states that it was given in the segments before, by relative positions. Names,
/// shapes and numbers are those of Hugging Face's TransfoXLLMHeadModel (transformers 4.35).
class TransformerXl : public Model {
 public:
  /// `segment`: tokens the model hears at a time (data.sequence_length). Throws UsageError when the options do not fit
  /// together.
  TransformerXl(const TransformerXlOptions& options, std::int64_t vocabulary_size, std::int64_t segment,
                std::uint64_t seed);

  std::string kind() const override { return "transformer_xl"; }
  const std::vector<Parameter>& parameters() const override { return parameters_; }
  std::int64_t context() const override;
  std::int64_t vocabulary_size() const override { return vocabulary_.size(); }
  bool remembers() const override { return true; }

  at::Tensor hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* dropout) override;
  at::Tensor logits(const at::Tensor& hidden) override;
  at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) override;
  Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t> length) const override;
  std::unique_ptr<Decoder> decoder(std::int64_t batch) override;
  std::unique_ptr<Model> replica() const override;
  nlohmann::json hugging_face_config() const override;
  double training_flops_per_token(std::int64_t sequence_length) const override;

 protected:
  static constexpr double kNormEpsilon = 1e-5;

  struct Norm {
    at::Tensor weight, bias;  ///< [width]
  };
  struct Layer {
    at::Tensor queries_keys_values;          ///< [3 * width, width], as torch.nn.Linear
    at::Tensor attention_output;             ///< [width, width]
    at::Tensor position_keys;                ///< W_k,R of the paper: [width, width]
    at::Tensor content_bias, position_bias;  ///< u and v of the paper: [heads, width of a head]
    Norm attention_norm;
    at::Tensor inner_weight, inner_bias;  ///< [inner, width], [inner]
    at::Tensor outer_weight, outer_bias;  ///< [width, inner], [width]
    Norm feed_forward_norm;
  };

  // The two places where models of this family differ: what a layer looks back at, and what becomes of what it heard.

  /// What layer `layer` looks back at, [lanes, length, width], the newest last.
  virtual at::Tensor recall(const Memory& memory, std::size_t layer) const;
  /// How many of these, counted from the newest, a lane has that heard so many tokens.
  virtual std::int64_t recalled(const Memory& memory, std::int64_t heard) const;
  /// Takes what the layers were given of a segment, [lanes, time, width] each, into the memory.
  virtual void remember(Memory& memory, const std::vector<at::Tensor>& inputs) const;
  /// The parameters of `copy` become its own, sharing storage with those of this.
  void share_weights(TransformerXl& copy) const;
  virtual void register_parameters();
  void add_parameter(const std::string& name, at::Tensor& value, const char* part, bool decay);

  TransformerXlOptions options_;
  std::int64_t segment_;
  std::vector<Layer> layers_;

 private:
  friend class TransformerXlDecoder;

  /// What all layers share in one segment.
  struct Pass;
  at::Tensor attend(const Layer& layer, std::size_t index, const at::Tensor& x, const Memory& memory,
                    const Pass& pass) const;
  at::Tensor feed_forward(const Layer& layer, std::size_t index, const at::Tensor& x, const Pass& pass) const;
  at::Tensor normalise(const at::Tensor& x, const Norm& norm) const;

  AdaptiveVocabulary vocabulary_;
  std::vector<Parameter> parameters_;
};

}  // namespace etude::models
