#pragma once

#include <cstdint>
#include <vector>

#include "models/kernels/decode.h"

namespace etude::models {

class MaskStream;

/// One head's attention over one sequence; pointers are to its first element, rows are `stride` elements apart.
struct AttentionHead {
  std::int64_t time = 0, head_width = 0;
  const void *queries = nullptr, *keys = nullptr, *values = nullptr;
  std::int64_t stride = 0;
  void* output = nullptr;
  std::int64_t output_stride = 0;
  float* log_sums = nullptr;  ///< [time]: log(sum(exp(scores))), from which backward finds the probabilities again
  const MaskStream* mask = nullptr;  ///< what drops probabilities; null for nothing
  std::uint64_t first_group = 0;     ///< the group of the mask's stream at which the first query's row begins
  std::uint64_t groups_per_query = 0;
  float* scratch = nullptr;  ///< as many floats as attention_scratch or relative_attention_scratch says

  // What lies before the first query; columns of scores count from the oldest of it.
  std::int64_t memory = 0;  ///< how many keys
  const void *memory_keys = nullptr, *memory_values = nullptr;
  std::int64_t memory_stride = 0;
  std::int64_t first_key = 0;  ///< nobody sees those before it
  std::int64_t window = 0;     ///< how many keys a query sees, its own included; 0 for all up to its own

  // Backward only; the gradients of queries, keys and values have their layout.
  const void* output_gradient = nullptr;
  void *query_gradient = nullptr, *key_gradient = nullptr, *value_gradient = nullptr;
  void *memory_key_gradient = nullptr, *memory_value_gradient = nullptr;
};

/// What all rows of a batch have in common in one head's relative attention: r by descending distance
/// [memory + time, head_width], and what is added to queries for the products with keys and with r [head_width].
struct HeadPositions {
  const void* rows = nullptr;
  std::int64_t stride = 0;
  const float *content_bias = nullptr, *position_bias = nullptr;

  // Backward only; laid out likewise.
  void* gradient = nullptr;
  float *content_bias_gradient = nullptr, *position_bias_gradient = nullptr;
};

/// The kernels as compiled for one instruction set. Where there are two, the first is for float32 and the second for
/// bfloat16 in memory.
struct Kernels {
  const char* name;
  std::int64_t (*attention_scratch)(std::int64_t time, std::int64_t head_width);
  void (*attention_forward[2])(const AttentionHead& head);
  void (*attention_backward[2])(const AttentionHead& head);
  std::int64_t (*relative_attention_scratch)(std::int64_t time, std::int64_t memory, std::int64_t head_width);
  /// One head over all rows of a batch, which are of the same sizes; positions and biases sum up what all rows say.
  void (*relative_attention_forward[2])(const AttentionHead* rows, std::int64_t batch, const HeadPositions& positions);
  void (*relative_attention_backward[2])(const AttentionHead* rows, std::int64_t batch, const HeadPositions& positions);
  /// What the mask leaves of elements of its groups [first, last), of `size` in all; out may be in.
  void (*dropout[2])(const void* in, void* out, std::int64_t size, std::int64_t first, std::int64_t last,
                     const MaskStream& mask);
  /// y = gelu(x) in its tanh form (Hendrycks & Gimpel 2016, section 2), for `size` values; y may be x.
  void (*gelu_forward[2])(const void* x, void* y, std::int64_t size);
  /// x_gradient = y_gradient * gelu'(x); x_gradient may be y_gradient.
  void (*gelu_backward[2])(const void* x, const void* y_gradient, void* x_gradient, std::int64_t size);
  /// The sum over rows of the cross entropy of softmax(logits) [rows, vocabulary] and the targets [rows], smoothed as
  /// in PyTorch; the logits become its gradient. A target that is `ignored` adds nothing.
  double (*cross_entropy)(float* logits, std::int64_t rows, std::int64_t vocabulary, const std::int64_t* targets,
                          std::int64_t ignored, float smoothing);
  DecodeKernels decode;
};

/// Those of the widest instruction set that this processor has, or those that the environment variable ETUDE_KERNELS
/// names. Throws UsageError when it names what there is not.
const Kernels& kernels();

/// What this processor can run, from the narrowest to the widest.
std::vector<const Kernels*> available_kernels();

/// Makes kernels() return these from now on, or with null what it would return by itself. For comparing them; not to be
/// called while any runs.
void use_kernels(const Kernels* kernels);

}  // namespace etude::models
