#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json_fwd.hpp>

#include "models/kernels/dropout.h"

namespace etude::models {

/// A weight to be learned. `value` is a leaf that requires a gradient.
struct Parameter {
  std::string name;  ///< Hugging Face's, where such a model exists: "transformer.h.0.attn.c_attn.weight"
  at::Tensor value;
  bool decay = false;     ///< whether weight decay applies: matrices, not biases or normalisation
  const char* part = "";  ///< what it belongs to, in a word for people: "attention"
  /// Whether it learns from Memory::loss alone. Such are clipped by a norm of their own, lest they slow the others.
  bool apart = false;
};

/// What a model remembers of the segments before. A lane walks through a piece, one segment after the other; row i of
/// everything here is lane i's. Models without memory only count.
struct Memory {
  std::vector<at::Tensor> tensors;  ///< [lanes, …] each, float32, without gradient
  /// Tokens that each lane has heard of its piece. A lane at 0 remembers nothing, whatever its rows of `tensors` hold,
  /// so setting it to 0 is how a lane begins a piece.
  std::vector<std::int64_t> heard;
  /// What forming the memory cost in the last segment, float32 scalar: a sum over tokens, to be minimised with that of
  /// the predictions. Undefined where nothing is learned from it.
  at::Tensor loss;
};

/// Feeds a model token by token with everything it keeps between tokens (key/value cache, memory).
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Takes tokens [batch, n] and returns the logits of what follows the last, float32 [batch, vocabulary].
  virtual at::Tensor advance(const at::Tensor& tokens) = 0;
  /// How many tokens it can still take before advance() would throw; max() for models with memory.
  virtual std::int64_t room() const = 0;
  /// Forgets everything.
  virtual void reset() = 0;
  /// Keeps only the given rows of the batch, int64 [n] (pieces that ended leave).
  virtual void select(const at::Tensor& rows) = 0;
};

/// One architecture. Knows of tokens and tensors, not of ranks, files or optimizers. Matrices may be held in bfloat16
/// (see set_matrix_dtype); residual stream, normalisation and losses stay float32.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::string kind() const = 0;
  virtual const std::vector<Parameter>& parameters() const = 0;
  /// The longest input forward() takes; max() when there is no bound.
  virtual std::int64_t context() const = 0;
  virtual std::int64_t vocabulary_size() const = 0;

  /// Hidden states float32 [batch, time, width] of tokens int64 [batch, time], the next segment of each lane. Dropout
  /// is applied when `dropout` is given and the model has a rate above 0. Memory is read and replaced by the new one; a
  /// row that is shorter than the others is its piece's last, so what its lane remembers afterwards is of no use.
  virtual at::Tensor hidden(const at::Tensor& tokens, Memory& memory, const DropoutKey* dropout) = 0;
  /// Logits float32 [..., vocabulary] of hidden states [..., width].
  virtual at::Tensor logits(const at::Tensor& hidden) = 0;
  /// Sum over all targets that are not -100 of the negative log-likelihood, float32 scalar. With label smoothing e the
  /// target distribution is (1 - e) on the target plus e spread evenly (Szegedy et al. 2016, section 7), as PyTorch.
  virtual at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing);

  /// Whether a segment knows anything of those before it. If not, the order of segments does not matter.
  virtual bool remembers() const { return false; }
  /// That of lanes which have heard nothing. `length`: how many tokens it is to hold, where that need not be what the
  /// model was trained with. Throws UsageError when this model has no such choice.
  virtual Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t> length = std::nullopt) const;
  virtual std::unique_ptr<Decoder> decoder(std::int64_t batch) = 0;

  /// A second model whose parameters share storage with this one's but have gradients and graph of their own, so that
  /// several threads can run backward at once.
  virtual std::unique_ptr<Model> replica() const = 0;

  /// config.json as transformers' from_pretrained wants it beside model.safetensors; {} where there is no such model.
  virtual nlohmann::json hugging_face_config() const = 0;
  /// Floating-point operations of a training step per token (forward and backward), by Kaplan et al. 2020: 6 N plus
  /// attention.
  virtual double training_flops_per_token(std::int64_t sequence_length) const = 0;
  /// Those of the forward pass alone, as when a model is evaluated: a third, unless it says otherwise.
  virtual double evaluation_flops_per_token(std::int64_t sequence_length) const;
  /// How many tokens, the last included, can bear on what is said of the next, through all layers and memories; nothing
  /// where there is no bound.
  virtual std::optional<std::int64_t> reach(std::int64_t sequence_length) const;
};

/// Where the weights are.
at::Device device_of(const Model& model);

/// Holds the matrices (the parameters that decay) in `type`, float32 or bfloat16. The leaves stay the same tensors with
/// new storage, so call it before replica(). Gradients come in the type of their leaf.
void set_matrix_dtype(Model& model, at::ScalarType type);

/// Puts the weights on another device; likewise.
void move_to(Model& model, const at::Device& device);

}  // namespace etude::models
