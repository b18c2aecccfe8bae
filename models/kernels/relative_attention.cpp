#include "models/kernels/relative_attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "framework/config/error.h"
#include "models/kernels/gpu.h"
#include "models/kernels/kernels.h"
#include "models/kernels/memory.h"
#include "models/kernels/philox.h"

namespace etude::models {

namespace {

using Tensors = torch::autograd::variable_list;

/// What saves itself in the graph between forward and backward, beside tensors.
struct Setting : torch::CustomClassHolder {
  RelativeAttention how;
  bool drops = false;  // how.key may be gone by the time of backward
  MaskStream mask;
};

/// What forward reads and writes; all contiguous.
struct Operands {
  at::Tensor qkv, memory, positions, content_bias, position_bias;
  at::Tensor output, log_sums;
};
/// What backward reads and writes beside; undefined in forward.
struct Gradients {
  at::Tensor output, qkv, memory, positions, content_bias, position_bias;
};

/// The head in one row of the batch.
AttentionHead head_of(const Setting& setting, const Operands& x, const Gradients& gradients, std::int64_t row,
                      std::int64_t head) {
  const std::int64_t time = x.qkv.size(1), width = x.qkv.size(2) / 3, memory = x.memory.size(1);
  const std::int64_t heads = setting.how.heads, head_width = width / heads, place = row * heads + head;
  const std::int64_t inside = row * time * 3 * width + head * head_width;
  const std::int64_t outside = row * time * width + head * head_width;
  const std::int64_t before = row * memory * 2 * width + head * head_width;
  AttentionHead one;
  one.time = time;
  one.head_width = head_width;
  one.queries = address(x.qkv, inside);
  one.keys = address(x.qkv, inside + width);
  one.values = address(x.qkv, inside + 2 * width);
  one.stride = 3 * width;
  one.output = address(x.output, outside);
  one.output_stride = width;
  one.log_sums = x.log_sums.data_ptr<float>() + place * time;
  one.mask = setting.drops ? &setting.mask : nullptr;
  one.groups_per_query = MaskStream::groups_of(memory + time);
  one.first_group = static_cast<std::uint64_t>(place * time) * one.groups_per_query;
  one.memory = memory;
  one.memory_keys = address(x.memory, before);
  one.memory_values = address(x.memory, before + width);
  one.memory_stride = 2 * width;
  one.first_key = setting.how.first_key[static_cast<std::size_t>(row)];
  one.window = setting.how.window;
  if (gradients.qkv.defined()) {
    one.output_gradient = address(gradients.output, outside);
    one.query_gradient = address(gradients.qkv, inside);
    one.key_gradient = address(gradients.qkv, inside + width);
    one.value_gradient = address(gradients.qkv, inside + 2 * width);
    one.memory_key_gradient = address(gradients.memory, before);
    one.memory_value_gradient = address(gradients.memory, before + width);
  }
  return one;
}

HeadPositions positions_of(const Operands& x, const Gradients& gradients, std::int64_t column) {
  HeadPositions positions;
  positions.rows = address(x.positions, column);
  positions.stride = x.positions.size(1);
  positions.content_bias = x.content_bias.data_ptr<float>() + column;
  positions.position_bias = x.position_bias.data_ptr<float>() + column;
  if (gradients.qkv.defined()) {
    positions.gradient = address(gradients.positions, column);
    positions.content_bias_gradient = gradients.content_bias.data_ptr<float>() + column;
    positions.position_bias_gradient = gradients.position_bias.data_ptr<float>() + column;
  }
  return positions;
}

/// Calls `work` for each head with all rows of the batch, so that what these say to r and the biases is summed in their
/// order, however many threads there are.
template <typename Work>
void for_each_head(const Setting& setting, const Operands& x, const Gradients& gradients, const Work& work) {
  const std::int64_t batch = x.qkv.size(0), head_width = x.qkv.size(2) / 3 / setting.how.heads;
  at::parallel_for(0, setting.how.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    float* const memory = scratch(kernels().relative_attention_scratch(x.qkv.size(1), x.memory.size(1), head_width));
    std::vector<AttentionHead> rows(static_cast<std::size_t>(batch));
    for (std::int64_t head = begin; head < end; ++head) {
      for (std::int64_t row = 0; row < batch; ++row) {
        AttentionHead& one = rows[static_cast<std::size_t>(row)];
        one = head_of(setting, x, gradients, row, head);
        one.scratch = memory;
      }
      work(rows.data(), batch, positions_of(x, gradients, head * head_width));
    }
  });
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& qkv, const at::Tensor& memory,
                            const at::Tensor& positions, const at::Tensor& content_bias,
                            const at::Tensor& position_bias, const c10::intrusive_ptr<Setting>& setting) {
    RECORD_FUNCTION("relative_attention", {});
    Operands x{qkv.contiguous(),
               memory.contiguous(),
               positions.contiguous(),
               content_bias.contiguous(),
               position_bias.contiguous(),
               {},
               {}};
    const std::int64_t batch = qkv.size(0), time = qkv.size(1);
    x.output = at::empty({batch, time, qkv.size(2) / 3}, qkv.options());
    x.log_sums = at::empty({batch * setting->how.heads, time}, qkv.options().dtype(at::kFloat));
    for_each_head(*setting, x, {}, kernels().relative_attention_forward[type_index(qkv)]);
    context->save_for_backward({x.qkv, x.memory, x.positions, x.content_bias, x.position_bias, x.output, x.log_sums});
    context->saved_data["setting"] = c10::IValue::make_capsule(setting);
    return x.output;
  }

  static Tensors backward(torch::autograd::AutogradContext* context, const Tensors& gradients) {
    const auto saved = context->get_saved_variables();
    const auto setting = c10::static_intrusive_pointer_cast<Setting>(context->saved_data["setting"].toCapsule());
    const Operands x{saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6]};
    const Gradients of{gradients[0].to(x.qkv.scalar_type()).contiguous(),
                       at::empty_like(x.qkv),
                       at::empty_like(x.memory),
                       at::empty_like(x.positions),
                       at::empty_like(x.content_bias),
                       at::empty_like(x.position_bias)};
    for_each_head(*setting, x, of, kernels().relative_attention_backward[type_index(x.qkv)]);
    return {of.qkv, of.memory, of.positions, of.content_bias, of.position_bias, at::Tensor()};
  }
};

void check(const at::Tensor& qkv, const at::Tensor& memory, const at::Tensor& positions, const at::Tensor& content_bias,
           const at::Tensor& position_bias, const RelativeAttention& how) {
  const std::int64_t batch = qkv.size(0), width = qkv.size(2) / 3, length = memory.size(1);
  const bool fits = qkv.size(2) == 3 * width && width % how.heads == 0 && memory.size(0) == batch &&
                    memory.size(2) == 2 * width && positions.size(0) == length + qkv.size(1) &&
                    positions.size(1) == width && content_bias.numel() == width && position_bias.numel() == width &&
                    std::ssize(how.first_key) == batch;
  bool inside = true;
  for (const std::int64_t first : how.first_key) inside = inside && first >= 0 && first <= length;
  if (!fits || !inside || how.window < 0) {
    throw Error("relative attention was given tensors that do not fit together");
  }
}

}  // namespace

at::Tensor relative_attention(const at::Tensor& qkv, const at::Tensor& memory, const at::Tensor& positions,
                              const at::Tensor& content_bias, const at::Tensor& position_bias,
                              const RelativeAttention& how) {
  check(qkv, memory, positions, content_bias, position_bias, how);
  if (!qkv.is_cpu()) return on_gpu::relative_attention(qkv, memory, positions, content_bias, position_bias, how);
  check_type(qkv, "relative attention");
  auto setting = c10::make_intrusive<Setting>();
  setting->how = how;
  setting->drops = how.key != nullptr && how.rate > 0.0;
  if (setting->drops) setting->mask = MaskStream(*how.key, how.site, how.rate);
  const at::ScalarType type = qkv.scalar_type();
  return Attention::apply(qkv, memory.to(type), positions.to(type), content_bias.to(at::kFloat),
                          position_bias.to(at::kFloat), setting);
}

}  // namespace etude::models
