#include "models/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/BFloat16.h>
#include <torch/csrc/autograd/custom_function.h>

#include "framework/config/error.h"
#include "models/kernels/gemm.h"
#include "models/kernels/philox.h"

namespace etude::models {

namespace {

// Queries a block: 64 rows of scores over 512 keys, twice in backward, stay in a 512 KiB cache.
constexpr std::int64_t kBlock = 64;
static_assert(MaskStream::kGroup % kBlock == 0);

std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// e^x by Cody and Waite's reduction and a polynomial, within 2 units in the last place; 0 where it would be subnormal.
ETUDE_INLINE float exponential(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const float bounded = x < -87.0F ? -87.0F : x;
  const float shifted = bounded * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const std::int32_t exponent = (static_cast<std::int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &exponent, sizeof(power));
  return x < -87.0F ? 0.0F : p * power;
}

/// The shape of the work, and what drops the probabilities (`drops` false: nothing).
struct Problem {
  std::int64_t batch = 0, time = 0, heads = 0, head_width = 0;
  bool drops = false;
  MaskStream mask;

  std::int64_t width() const { return heads * head_width; }
  std::int64_t stride() const { return round_up(time, MaskStream::kGroup); }
  float scale() const { return 1.0F / std::sqrt(static_cast<float>(head_width)); }
  /// The group of the mask's stream at which the row of this head (of batch * heads) and query begins.
  std::uint64_t first_group(std::int64_t head, std::int64_t query) const {
    return static_cast<std::uint64_t>((head * time + query) * (stride() / MaskStream::kGroup));
  }
};

/// A block of rows of the score matrix of one head.
struct Block {
  std::int64_t head = 0;   ///< of batch * heads
  std::int64_t first = 0;  ///< its first query
  std::int64_t rows = 0;
  std::int64_t keys() const { return first + rows; }  ///< what its last query may look at
};

/// What each number of the mask's stream does to its probability: factors[128].
ETUDE_INLINE void draw_factors(const Problem& problem, std::uint64_t group, float* factors) {
  std::uint16_t numbers[MaskStream::kGroup];
  problem.mask.draw(group, numbers);
  const std::uint32_t threshold = problem.mask.threshold();
  const float scale = problem.mask.scale();
  for (std::int64_t i = 0; i < MaskStream::kGroup; ++i) factors[i] = numbers[i] < threshold ? 0.0F : scale;
}

constexpr std::int64_t kLanes = 16;  // partial sums and maxima: the same order on every processor

ETUDE_INLINE float sum(const float* lanes) {
  float total = 0.0F;
  for (std::int64_t i = 0; i < kLanes; ++i) total += lanes[i];
  return total;
}

/// Turns scores [rows, stride] into probabilities, dropped ones included, in place; columns after a query become 0.
/// `log_sums` [rows] receives log(sum(exp(scores))), from which backward finds the probabilities again.
ETUDE_INLINE void soften(const Problem* problem, const Block* block, float* scores, float* log_sums) {
  const std::int64_t stride = problem->stride();
  for (std::int64_t row = 0; row < block->rows; ++row) {
    float* s = scores + row * stride;
    const std::int64_t query = block->first + row, padded = round_up(query + 1, kLanes);
    for (std::int64_t i = query + 1; i < padded; ++i) s[i] = -std::numeric_limits<float>::infinity();

    float lanes[kLanes];
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = s[lane];
    for (std::int64_t i = kLanes; i < padded; i += kLanes) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane)
        lanes[lane] = lanes[lane] < s[i + lane] ? s[i + lane] : lanes[lane];
    }
    float largest = lanes[0];
    for (std::int64_t lane = 1; lane < kLanes; ++lane) largest = std::max(largest, lanes[lane]);

    for (float& lane : lanes) lane = 0.0F;
    for (std::int64_t i = 0; i < padded; i += kLanes) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        s[i + lane] = exponential(s[i + lane] - largest);
        lanes[lane] += s[i + lane];
      }
    }
    const float total = sum(lanes), inverse = 1.0F / total;
    log_sums[row] = largest + std::log(total);

    const std::uint64_t group = problem->first_group(block->head, query);
    for (std::int64_t i = 0; i < padded; i += MaskStream::kGroup) {
      const std::int64_t count = std::min(MaskStream::kGroup, padded - i);
      if (problem->drops) {
        float factors[MaskStream::kGroup];
        draw_factors(*problem, group + static_cast<std::uint64_t>(i / MaskStream::kGroup), factors);
        for (std::int64_t k = 0; k < count; ++k) s[i + k] *= inverse * factors[k];
      } else {
        for (std::int64_t k = 0; k < count; ++k) s[i + k] *= inverse;
      }
    }
    std::fill(s + padded, s + std::max(padded, block->keys()), 0.0F);
  }
}

/// Given scores and the gradient of the dropped probabilities, makes of the first the dropped probabilities and of the
/// second the gradient of the scores. `inner` [rows] holds the inner products of output and its gradient, which equal
/// those of probabilities and their gradient.
ETUDE_INLINE void soften_backward(const Problem* problem, const Block* block, float* scores, float* gradients,
                                  const float* log_sums, const float* inner) {
  const std::int64_t stride = problem->stride();
  float factors[MaskStream::kGroup];
  std::fill(factors, factors + MaskStream::kGroup, 1.0F);
  for (std::int64_t row = 0; row < block->rows; ++row) {
    float* s = scores + row * stride;
    float* g = gradients + row * stride;
    const std::int64_t query = block->first + row, padded = round_up(query + 1, kLanes);
    for (std::int64_t i = query + 1; i < padded; ++i) {
      s[i] = -std::numeric_limits<float>::infinity();
      g[i] = 0.0F;
    }
    const std::uint64_t group = problem->first_group(block->head, query);
    for (std::int64_t i = 0; i < padded; i += MaskStream::kGroup) {
      const std::int64_t count = std::min(MaskStream::kGroup, padded - i);
      if (problem->drops) draw_factors(*problem, group + static_cast<std::uint64_t>(i / MaskStream::kGroup), factors);
      for (std::int64_t k = 0; k < count; ++k) {
        const float p = exponential(s[i + k] - log_sums[row]);
        s[i + k] = p * factors[k];
        g[i + k] = p * (factors[k] * g[i + k] - inner[row]);
      }
    }
    std::fill(s + padded, s + std::max(padded, block->keys()), 0.0F);
    std::fill(g + padded, g + std::max(padded, block->keys()), 0.0F);
  }
}

/// Memory of a thread that is kept from call to call: fresh pages would cost as much as the products.
float* scratch(std::size_t which, std::int64_t size) {
  thread_local std::vector<float> buffers[2];
  std::vector<float>& buffer = buffers[which];
  if (buffer.size() < static_cast<std::size_t>(size)) buffer.resize(static_cast<std::size_t>(size));
  return buffer.data();
}

/// Queries, keys and values (or their gradients) of one head inside [batch, time, 3 * width].
struct HeadView {
  float *queries, *keys, *values;
  std::int64_t stride;
};
HeadView head_of(float* qkv, const Problem& problem, std::int64_t head) {
  const std::int64_t width = problem.width(), row = head / problem.heads, column = head % problem.heads;
  float* begin = qkv + row * problem.time * 3 * width + column * problem.head_width;
  return {begin, begin + width, begin + 2 * width, 3 * width};
}
float* output_of(float* output, const Problem& problem, std::int64_t head) {
  return output + head / problem.heads * problem.time * problem.width() + head % problem.heads * problem.head_width;
}

Block block_at(const Problem& problem, std::int64_t head, std::int64_t first) {
  return {head, first, std::min(kBlock, problem.time - first)};
}

/// scores [rows, keys] = scale * queries keys^T of the block.
void score(const Problem& problem, const Block& block, const HeadView& in, float* scores) {
  gemm(Transpose::kNo, Transpose::kYes, block.rows, block.keys(), problem.head_width, problem.scale(),
       {in.queries + block.first * in.stride, in.stride}, {in.keys, in.stride}, 0.0F, {scores, problem.stride()});
}

void forward_head(const Problem& problem, std::int64_t head, float* qkv, float* output, float* log_sums) {
  const HeadView in = head_of(qkv, problem, head);
  float* out = output_of(output, problem, head);
  float* scores = scratch(0, kBlock * problem.stride());
  for (std::int64_t first = 0; first < problem.time; first += kBlock) {
    const Block block = block_at(problem, head, first);
    score(problem, block, in, scores);
    vectorized<soften>(&problem, &block, scores, log_sums + head * problem.time + first);
    gemm(Transpose::kNo, Transpose::kNo, block.rows, problem.head_width, block.keys(), 1.0F, {scores, problem.stride()},
         {in.values, in.stride}, 0.0F, {out + first * problem.width(), problem.width()});
  }
}

void backward_head(const Problem& problem, std::int64_t head, float* qkv, float* output, float* log_sums,
                   float* output_gradient, float* qkv_gradient) {
  const HeadView in = head_of(qkv, problem, head), gradient = head_of(qkv_gradient, problem, head);
  const std::int64_t width = problem.width(), stride = problem.stride(), head_width = problem.head_width;
  const float* out = output_of(output, problem, head);
  float* out_gradient = output_of(output_gradient, problem, head);
  float* scores = scratch(0, kBlock * stride);
  float* score_gradients = scratch(1, kBlock * stride);
  // From the last block, which sees all keys and so begins the sums over blocks in the gradients of keys and values.
  for (std::int64_t first = (problem.time - 1) / kBlock * kBlock; first >= 0; first -= kBlock) {
    const Block block = block_at(problem, head, first);
    const float begun = block.keys() == problem.time ? 0.0F : 1.0F;
    const Matrix block_out_gradient{out_gradient + first * width, width};
    const Matrix block_scores{scores, stride}, block_gradients{score_gradients, stride};

    float inner[kBlock];
    for (std::int64_t row = 0; row < block.rows; ++row) {
      const float* a = out + (first + row) * width;
      const float* b = block_out_gradient.data + row * width;
      inner[row] = 0.0F;
      for (std::int64_t i = 0; i < head_width; ++i) inner[row] += a[i] * b[i];
    }
    score(problem, block, in, scores);
    gemm(Transpose::kNo, Transpose::kYes, block.rows, block.keys(), head_width, 1.0F, block_out_gradient,
         {in.values, in.stride}, 0.0F, block_gradients);
    vectorized<soften_backward>(&problem, &block, scores, score_gradients, log_sums + head * problem.time + first,
                                static_cast<const float*>(inner));
    gemm(Transpose::kYes, Transpose::kNo, block.keys(), head_width, block.rows, 1.0F, block_scores, block_out_gradient,
         begun, {gradient.values, gradient.stride});
    gemm(Transpose::kYes, Transpose::kNo, block.keys(), head_width, block.rows, problem.scale(), block_gradients,
         {in.queries + first * in.stride, in.stride}, begun, {gradient.keys, gradient.stride});
    gemm(Transpose::kNo, Transpose::kNo, block.rows, head_width, block.keys(), problem.scale(), block_gradients,
         {in.keys, in.stride}, 0.0F, {gradient.queries + first * gradient.stride, gradient.stride});
  }
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& qkv, const Problem& problem) {
    const at::Tensor in = qkv.to(at::kFloat).contiguous();
    const at::Tensor out = at::empty({problem.batch, problem.time, problem.width()}, in.options());
    const at::Tensor log_sums = at::empty({problem.batch * problem.heads, problem.time}, in.options());
    at::parallel_for(0, problem.batch * problem.heads, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t head = first; head < last; ++head) {
        forward_head(problem, head, in.data_ptr<float>(), out.data_ptr<float>(), log_sums.data_ptr<float>());
      }
    });
    const at::Tensor result = out.to(qkv.scalar_type());
    context->save_for_backward({qkv, result, log_sums});
    context->saved_data["problem"] = std::string(reinterpret_cast<const char*>(&problem), sizeof(problem));
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    Problem problem;
    std::memcpy(static_cast<void*>(&problem), context->saved_data["problem"].toStringRef().data(), sizeof(problem));
    const at::Tensor in = saved[0].to(at::kFloat).contiguous(), out = saved[1].to(at::kFloat), log_sums = saved[2];
    const at::Tensor out_gradient = gradients[0].to(at::kFloat).contiguous();
    const at::Tensor in_gradient = at::empty_like(in);
    at::parallel_for(0, problem.batch * problem.heads, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t head = first; head < last; ++head) {
        backward_head(problem, head, in.data_ptr<float>(), out.data_ptr<float>(), log_sums.data_ptr<float>(),
                      out_gradient.data_ptr<float>(), in_gradient.data_ptr<float>());
      }
    });
    return {in_gradient.to(saved[0].scalar_type()), at::Tensor()};
  }
};

}  // namespace

at::Tensor causal_attention(const at::Tensor& qkv, std::int64_t heads, double rate, const DropoutKey* key,
                            std::uint32_t site) {
  if (qkv.dim() != 3 || qkv.size(2) % (3 * heads) != 0) throw Error("attention takes [batch, time, 3 * width]");
  Problem problem;
  problem.batch = qkv.size(0);
  problem.time = qkv.size(1);
  problem.heads = heads;
  problem.head_width = qkv.size(2) / 3 / heads;
  problem.drops = key != nullptr && rate > 0.0;
  if (problem.drops) problem.mask = MaskStream(*key, site, rate);
  return Attention::apply(qkv, problem);
}

}  // namespace etude::models
