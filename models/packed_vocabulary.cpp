#include "models/packed_vocabulary.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>

#include "models/line_decoder.h"

namespace etude::models {

namespace {

/// The logarithm of the sum of e^scores.
float log_sum(const float* scores, std::int64_t count) {
  const float most = *std::max_element(scores, scores + count);
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(scores[i] - most));
  return most + static_cast<float>(std::log(sum));
}

}  // namespace

PackedVocabulary::PackedVocabulary(const AdaptiveVocabulary& vocabulary, std::int64_t rows)
    : width_(vocabulary.width_) {
  const at::NoGradGuard no_gradient;
  embeddings_ = decoder_copy(vocabulary.embed(at::arange(vocabulary.size(), at::kLong)));
  const AdaptiveVocabulary::Head head = vocabulary.head();
  std::int64_t narrow = 1, scores = 1;
  for (std::size_t i = 0; i < vocabulary.clusters(); ++i) {
    Cluster cluster;
    cluster.begin = vocabulary.begin(i);
    cluster.end = vocabulary.ends_[i];
    cluster.projected = vocabulary.divided_;
    if (cluster.projected) {
      cluster.projection = PackedMatrix(i == 0 ? vocabulary.output_projection_ : vocabulary.projections_[i], {});
      narrow = std::max(narrow, cluster.projection.stride());
    }
    cluster.output = i == 0 ? PackedMatrix(head.weight.t(), head.bias)
                            : PackedMatrix(vocabulary.embeddings(i).t(), vocabulary.bias(i));
    scores = std::max(scores, cluster.output.stride());
    clusters_.push_back(std::move(cluster));
  }
  stride_ = std::max(vocabulary.size(), clusters_[0].output.stride());
  narrowed_ = decoder_scratch(rows, narrow);
  scores_ = decoder_scratch(rows, scores);
}

const float* PackedVocabulary::embedding(std::int64_t token) const {
  return embeddings_.const_data_ptr<float>() + token * width_;
}

void PackedVocabulary::score(const Cluster& cluster, const float* hidden, std::int64_t rows) {
  float* const narrowed = narrowed_.mutable_data_ptr<float>();
  if (cluster.projected) cluster.projection.multiply(hidden, width_, rows, narrowed);
  cluster.output.multiply(cluster.projected ? narrowed : hidden,
                          cluster.projected ? cluster.projection.stride() : width_, rows,
                          scores_.mutable_data_ptr<float>());
}

void PackedVocabulary::predict(const float* hidden, std::int64_t rows, float* logits) {
  const std::int64_t others = std::ssize(clusters_) - 1;
  for (std::int64_t c = 0; c <= others; ++c) {
    const Cluster& cluster = clusters_[static_cast<std::size_t>(c)];
    const std::int64_t tokens = cluster.end - cluster.begin;
    score(cluster, hidden, rows);
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* scores = scores_.const_data_ptr<float>() + row * cluster.output.stride();
      float* const of_row = logits + row * stride_;
      if (others == 0) {
        std::copy_n(scores, tokens, of_row);
      } else if (c == 0) {
        const float sum = log_sum(scores, tokens + others);
        for (std::int64_t i = 0; i < tokens; ++i) of_row[i] = scores[i] - sum;
        // What choosing a cluster costs waits where the cluster's first token is.
        for (std::int64_t i = 0; i < others; ++i) {
          of_row[clusters_[static_cast<std::size_t>(i + 1)].begin] = scores[tokens + i] - sum;
        }
      } else {
        const float chosen = of_row[cluster.begin] - log_sum(scores, tokens);
        for (std::int64_t i = 0; i < tokens; ++i) of_row[cluster.begin + i] = scores[i] + chosen;
      }
    }
  }
}

}  // namespace etude::models
