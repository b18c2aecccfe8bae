#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/config/options.h"
#include "models/weights.h"

namespace etude::models {

struct Gpt2Options {
  std::int64_t layers = 6;
  std::int64_t width = 256;
  std::int64_t heads = 8;
  double dropout = 0.1;
};
void describe(config::Section& section, Gpt2Options& options);

/// The decoder of Radford et al. 2019 ("Language models are unsupervised multitask learners", section 2.3): learned
/// positions, layer normalisation before each block and after the last, GELU in its tanh form, output tied to the token
/// embedding. Names, shapes and initial values are those of Hugging Face's GPT2LMHeadModel.
class Gpt2 : public WeightedModel {
 public:
  /// Throws UsageError when the options do not fit together.
  Gpt2(const Gpt2Options& options, std::int64_t vocabulary_size, std::int64_t context, std::uint64_t seed);

  std::string kind() const override { return "gpt2"; }
  std::int64_t context() const override { return context_; }
  std::int64_t vocabulary_size() const override { return vocabulary_size_; }

  at::Tensor hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* dropout) override;
  at::Tensor logits(const at::Tensor& hidden) override;
  at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) override;
  std::unique_ptr<Decoder> decoder(std::int64_t batch) override;
  std::unique_ptr<Model> replica() const override;
  nlohmann::json hugging_face_config() const override;
  double training_flops_per_token(std::int64_t sequence_length) const override;

 protected:
  void visit(const VisitWeight& visit) override;

  /// Token embeddings, float32 [batch, time, width].
  at::Tensor embed(const at::Tensor& tokens) const;
  /// Hidden states of embeddings [batch, time, width] whose positions are added already. `site` is the first of the
  /// sites() that drop something.
  at::Tensor pass(const at::Tensor& embeddings, const DropoutKey* key, std::uint32_t site = 0) const;
  std::uint32_t sites() const { return 1 + 3 * static_cast<std::uint32_t>(options_.layers); }

  static constexpr double kInitialDeviation = 0.02;

  Gpt2Options options_;
  at::Tensor positions_;  ///< [context, width]

 private:
  friend class Gpt2Decoder;

  static constexpr double kNormEpsilon = 1e-5;

  struct Affine {
    at::Tensor weight;  ///< [in, out], as Hugging Face's Conv1D
    at::Tensor bias;    ///< [out]
  };
  struct Layer {
    Affine attention_norm;   ///< of shape [width], like mlp_norm
    Affine attention_input;  ///< queries, keys and values side by side
    Affine attention_output;
    Affine mlp_norm;
    Affine mlp_input;
    Affine mlp_output;
  };

  at::Tensor normalise(const at::Tensor& x, const Affine& norm) const;
  /// The second half of a layer before its dropout: [..., width] -> [..., width].
  at::Tensor mlp(const at::Tensor& x, const Layer& layer) const;

  std::int64_t vocabulary_size_;
  std::int64_t context_;
  at::Tensor tokens_;  ///< [vocabulary, width], also the output's weights
  std::vector<Layer> layers_;
  Affine final_norm_;
};

}  // namespace etude::models
