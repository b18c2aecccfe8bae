#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "framework/config/options.h"
#include "models/weights.h"

namespace etude::models {

struct AdaptiveOptions {
  std::vector<std::int64_t> cutoffs{};  ///< rising; [] for the plain softmax and embedding
  std::int64_t divisor = 1;  ///< each cluster's embeddings are so many times narrower than those of the one before
};
void describe(config::Section& section, AdaptiveOptions& options);

/// How tokens become hidden states and hidden states become tokens, with the same weights both ways (Press & Wolf
/// 2017). With cutoffs the vocabulary is cut into a head and clusters of rarer tokens: the output first chooses among
/// the head and the clusters, then within one (Grave et al. 2017, section 4), and rarer tokens may have narrower
/// embeddings, widened by a projection (Baevski & Auli 2019, section 3). Names and shapes are those of Hugging Face's
/// TransfoXLLMHeadModel: the first cluster has a projection of its own for the output, the others share theirs.
class AdaptiveVocabulary {
 public:
  /// Throws UsageError when the cutoffs do not rise, leave the vocabulary, or the width cannot be divided so often.
  AdaptiveVocabulary(const AdaptiveOptions& options, std::int64_t size, std::int64_t width, at::Generator& generator);

  std::int64_t size() const { return size_; }

  /// float32 [..., width] of tokens int64 [...], scaled by sqrt(width) (Vaswani et al. 2017, section 3.4).
  at::Tensor embed(const at::Tensor& tokens) const;
  /// float32 [..., size] of hidden states [..., width]; with cutoffs they are log-probabilities.
  at::Tensor logits(const at::Tensor& hidden) const;
  /// As Model::loss_sum.
  at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) const;

  void visit(const VisitWeight& visit);

 private:
  friend class PackedVocabulary;

  std::size_t clusters() const { return ends_.size(); }
  std::int64_t begin(std::size_t cluster) const { return cluster == 0 ? 0 : ends_[cluster - 1]; }
  // Of one cluster's tokens.
  at::Tensor embeddings(std::size_t cluster) const;
  at::Tensor bias(std::size_t cluster) const;
  /// Hidden states as narrow as the cluster's embeddings.
  at::Tensor narrowed(const at::Tensor& hidden, std::size_t cluster) const;

  /// What chooses among the first cluster's tokens and, after them, the other clusters.
  struct Head {
    at::Tensor weight, bias;
  };
  Head head() const;

  std::int64_t size_, width_;
  bool divided_;                         ///< whether clusters have matrices of their own
  std::vector<std::int64_t> ends_;       ///< of each cluster, one past its last token
  std::vector<at::Tensor> embeddings_;   ///< [tokens of the cluster, its width]; undivided, one for all
  std::vector<at::Tensor> biases_;       ///< [tokens of the cluster] of the output; likewise
  std::vector<at::Tensor> projections_;  ///< [width, width of the cluster]; undivided, none
  at::Tensor output_projection_;         ///< the first cluster's for the output, likewise
  at::Tensor cluster_weight_;            ///< [clusters - 1, width]
  at::Tensor cluster_bias_;              ///< [clusters - 1]
};

}  // namespace etude::models
