#pragma once

#include <vector>

#include "models/adaptive_vocabulary.h"
#include "models/kernels/packed_matrix.h"

namespace etude::models {

/// An AdaptiveVocabulary for few tokens at a time, with weights packed.
class PackedVocabulary {
 public:
  /// For up to `rows` hidden states at a time.
  PackedVocabulary(const AdaptiveVocabulary& vocabulary, std::int64_t rows);

  /// [width]
  const float* embedding(std::int64_t token) const;
  /// Columns of what predict() writes.
  std::int64_t stride() const { return stride_; }
  /// As AdaptiveVocabulary::logits: [rows, stride()] of hidden states [rows, width].
  void predict(const float* hidden, std::int64_t rows, float* logits);

 private:
  struct Cluster {
    PackedMatrix projection, output;
    bool projected = false;
    std::int64_t begin = 0, end = 0;
  };
  /// Scores of the cluster's tokens, in scores_.
  void score(const Cluster& cluster, const float* hidden, std::int64_t rows);

  std::int64_t width_, stride_ = 0;
  std::vector<Cluster> clusters_;
  at::Tensor embeddings_;         ///< [size, width], scaled
  at::Tensor narrowed_, scores_;  ///< scratch
};

}  // namespace etude::models
