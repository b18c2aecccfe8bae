#include "models/adaptive_vocabulary.h"

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"
#include "models/kernels/cross_entropy.h"
#include "models/kernels/linear.h"

namespace etude::models {

namespace {

constexpr double kDeviation = 0.02, kProjectionDeviation = 0.01;

}  // namespace

void describe(config::Section& section, AdaptiveOptions& options) {
  section.integers("cutoffs", options.cutoffs, {1, 1 << 30}, 0,
                   "Tokens before the first are chosen directly, those between two as one of a cluster; rising, [] for "
                   "the plain softmax. Pays for vocabularies of many thousands.");
  section.integer("divisor", options.divisor, {1, 64},
                  "Embeddings of each cluster are so many times narrower than those of the one before.");
}

AdaptiveVocabulary::AdaptiveVocabulary(const AdaptiveOptions& options, std::int64_t size, std::int64_t width,
                                       at::Generator& generator)
    : size_(size), width_(width), divided_(options.divisor > 1 && !options.cutoffs.empty()), ends_(options.cutoffs) {
  ends_.push_back(size);
  for (std::size_t i = 0; i < clusters(); ++i) {
    if (ends_[i] > begin(i)) continue;
    throw UsageError(fmt::format("model.adaptive.cutoffs [{}] must rise and stay below the vocabulary's {} tokens",
                                 fmt::join(options.cutoffs, ", "), size));
  }
  const auto normal = [&](at::IntArrayRef shape, double deviation) {
    return at::empty(shape, at::kFloat).normal_(0.0, deviation, generator);
  };
  std::int64_t narrow = width;
  for (std::size_t i = 0; i < clusters() && (divided_ || i == 0); ++i) {
    if (narrow < 1) {
      throw UsageError(fmt::format("model.adaptive.divisor {}: a width of {} cannot be divided for {} clusters",
                                   options.divisor, width, clusters()));
    }
    const std::int64_t tokens = divided_ ? ends_[i] - begin(i) : size;
    embeddings_.push_back(normal({tokens, narrow}, kDeviation));
    biases_.push_back(at::zeros({tokens}, at::kFloat));
    if (divided_) projections_.push_back(normal({width, narrow}, kProjectionDeviation));
    narrow /= options.divisor;
  }
  if (divided_) output_projection_ = normal({width, width}, kProjectionDeviation);
  if (clusters() == 1) return;
  const std::int64_t others = std::ssize(options.cutoffs);
  cluster_weight_ = normal({others, width}, kDeviation);
  cluster_bias_ = at::zeros({others}, at::kFloat);
}

void AdaptiveVocabulary::visit(const VisitWeight& visit) {
  for (std::size_t i = 0; i < embeddings_.size(); ++i) {
    visit(fmt::format("transformer.word_emb.emb_layers.{}.weight", i), embeddings_[i], "token embedding");
  }
  for (std::size_t i = 0; i < projections_.size(); ++i) {
    visit(fmt::format("transformer.word_emb.emb_projs.{}", i), projections_[i], "token embedding");
  }
  if (clusters() > 1) {
    visit("crit.cluster_weight", cluster_weight_, "output");
    visit("crit.cluster_bias", cluster_bias_, "output");
  }
  for (std::size_t i = 0; i < biases_.size(); ++i) {
    visit(fmt::format("crit.out_layers.{}.bias", i), biases_[i], "output");
  }
  if (divided_) visit("crit.out_projs.0", output_projection_, "output");
}

at::Tensor AdaptiveVocabulary::embeddings(std::size_t cluster) const {
  return divided_ ? embeddings_[cluster] : embeddings_[0].slice(0, begin(cluster), ends_[cluster]);
}

at::Tensor AdaptiveVocabulary::bias(std::size_t cluster) const {
  return divided_ ? biases_[cluster] : biases_[0].slice(0, begin(cluster), ends_[cluster]);
}

at::Tensor AdaptiveVocabulary::narrowed(const at::Tensor& hidden, std::size_t cluster) const {
  if (!divided_) return hidden;
  return product(hidden, cluster == 0 ? output_projection_ : projections_[cluster]);
}

AdaptiveVocabulary::Head AdaptiveVocabulary::head() const {
  if (clusters() == 1) return {embeddings_[0], biases_[0]};
  return {at::cat({embeddings(0), cluster_weight_}), at::cat({bias(0), cluster_bias_})};
}

at::Tensor AdaptiveVocabulary::embed(const at::Tensor& tokens) const {
  const double scale = std::sqrt(static_cast<double>(width_));
  // Widened before the look-up, so that the gradients of a token's many places are summed in float32.
  if (!divided_) return at::embedding(embeddings_[0].to(at::kFloat), tokens).mul(scale);
  const at::Tensor flat = tokens.reshape({-1});
  at::Tensor result = at::zeros({flat.numel(), width_}, embeddings_[0].options().dtype(at::kFloat));
  for (std::size_t i = 0; i < clusters(); ++i) {
    const at::Tensor places = flat.ge(begin(i)).logical_and(flat.lt(ends_[i])).nonzero().squeeze(1);
    const at::Tensor narrow = at::embedding(embeddings_[i].to(at::kFloat), flat.index_select(0, places) - begin(i));
    result = result.index_copy(0, places, product(narrow, projections_[i].t()).to(at::kFloat));
  }
  std::vector<std::int64_t> shape = tokens.sizes().vec();
  shape.push_back(width_);
  return result.view(shape).mul(scale);
}

at::Tensor AdaptiveVocabulary::logits(const at::Tensor& hidden) const {
  const Head first = head();
  const at::Tensor scores = linear(narrowed(hidden, 0), first.weight.t(), first.bias).to(at::kFloat);
  if (clusters() == 1) return scores;
  const at::Tensor chosen = scores.log_softmax(-1);
  std::vector<at::Tensor> parts{chosen.slice(-1, 0, ends_[0])};
  for (std::size_t i = 1; i < clusters(); ++i) {
    const std::int64_t place = ends_[0] + static_cast<std::int64_t>(i) - 1;
    const at::Tensor within = linear(narrowed(hidden, i), embeddings(i).t(), bias(i)).to(at::kFloat).log_softmax(-1);
    parts.push_back(chosen.slice(-1, place, place + 1) + within);
  }
  return at::cat(parts, -1);
}

at::Tensor AdaptiveVocabulary::loss_sum(const at::Tensor& hidden, const at::Tensor& targets,
                                        double label_smoothing) const {
  const at::Tensor rows = hidden.reshape({-1, width_}), wanted = targets.reshape({-1});
  if (clusters() > 1 && label_smoothing > 0) {
    // Smoothing looks at every token, so nothing is saved by looking at clusters alone.
    return at::cross_entropy_loss(logits(rows), wanted, {}, at::Reduction::Sum, kIgnoredTarget, label_smoothing);
  }
  at::Tensor choices = wanted;
  at::Tensor loss;
  for (std::size_t i = 1; i < clusters(); ++i) {
    const at::Tensor inside = wanted.ge(begin(i)).logical_and(wanted.lt(ends_[i]));
    choices = choices.masked_fill(inside, ends_[0] + static_cast<std::int64_t>(i) - 1);
    const at::Tensor places = inside.nonzero().squeeze(1);
    const at::Tensor of_cluster = linear_cross_entropy(narrowed(rows.index_select(0, places), i), embeddings(i),
                                                       bias(i), wanted.index_select(0, places) - begin(i), 0.0);
    loss = loss.defined() ? loss + of_cluster : of_cluster;
  }
  const Head first = head();
  const at::Tensor of_head =
      linear_cross_entropy(narrowed(rows, 0), first.weight, first.bias, choices, label_smoothing);
  return loss.defined() ? loss + of_head : of_head;
}

}  // namespace etude::models
