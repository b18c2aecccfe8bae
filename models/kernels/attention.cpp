#include "models/kernels/attention.h"

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

/// What saves itself in the graph between forward and backward, beside tensors.
struct Setting : torch::CustomClassHolder {
  std::int64_t heads = 0;
  bool drops = false;
  MaskStream mask;
};

/// Calls `work` for the part of each head of each sequence. The gradients may be undefined.
template <typename Work>
void for_each_head(const Setting& setting, const at::Tensor& qkv, const at::Tensor& output, const at::Tensor& log_sums,
                   const at::Tensor& output_gradient, const at::Tensor& qkv_gradient, const Work& work) {
  const std::int64_t batch = qkv.size(0), time = qkv.size(1), width = qkv.size(2) / 3;
  const std::int64_t head_width = width / setting.heads;
  at::parallel_for(0, batch * setting.heads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / setting.heads * time, column = i % setting.heads * head_width;
      const std::int64_t inside = row * 3 * width + column, outside = row * width + column;
      AttentionHead head;
      head.time = time;
      head.head_width = head_width;
      head.queries = address(qkv, inside);
      head.keys = address(qkv, inside + width);
      head.values = address(qkv, inside + 2 * width);
      head.stride = 3 * width;
      head.output = address(output, outside);
      head.output_stride = width;
      head.log_sums = log_sums.data_ptr<float>() + i * time;
      head.mask = setting.drops ? &setting.mask : nullptr;
      head.groups_per_query = MaskStream::groups_of(time);
      head.first_group = static_cast<std::uint64_t>(i * time) * head.groups_per_query;
      head.scratch = scratch(kernels().attention_scratch(time, head_width));
      if (qkv_gradient.defined()) {
        head.output_gradient = address(output_gradient, outside);
        head.query_gradient = address(qkv_gradient, inside);
        head.key_gradient = address(qkv_gradient, inside + width);
        head.value_gradient = address(qkv_gradient, inside + 2 * width);
      }
      work(head);
    }
  });
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given,
                            const c10::intrusive_ptr<Setting>& setting) {
    RECORD_FUNCTION("attention", {});
    const at::Tensor qkv = given.contiguous();
    const std::int64_t batch = qkv.size(0), time = qkv.size(1);
    const at::Tensor output = at::empty({batch, time, qkv.size(2) / 3}, qkv.options());
    const at::Tensor log_sums = at::empty({batch * setting->heads, time}, qkv.options().dtype(at::kFloat));
    for_each_head(*setting, qkv, output, log_sums, {}, {}, kernels().attention_forward[type_index(qkv)]);
    context->save_for_backward({qkv, output, log_sums});
    context->saved_data["setting"] = c10::IValue::make_capsule(setting);
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto setting = c10::static_intrusive_pointer_cast<Setting>(context->saved_data["setting"].toCapsule());
    const at::Tensor& qkv = saved[0];
    const at::Tensor output_gradient = gradients[0].to(qkv.scalar_type()).contiguous();
    const at::Tensor qkv_gradient = at::empty_like(qkv);
    for_each_head(*setting, qkv, saved[1], saved[2], output_gradient, qkv_gradient,
                  kernels().attention_backward[type_index(qkv)]);
    return {qkv_gradient, at::Tensor()};
  }
};

}  // namespace

at::Tensor causal_attention(const at::Tensor& qkv, std::int64_t heads, double rate, const DropoutKey* key,
                            std::uint32_t site) {
  if (qkv.dim() != 3 || qkv.size(2) % (3 * heads) != 0) throw Error("attention takes [batch, time, 3 * width]");
  if (!qkv.is_cpu()) return on_gpu::causal_attention(qkv, heads, rate, key, site);
  check_type(qkv, "attention");
  auto setting = c10::make_intrusive<Setting>();
  setting->heads = heads;
  setting->drops = key != nullptr && rate > 0.0;
  if (setting->drops) setting->mask = MaskStream(*key, site, rate);
  return Attention::apply(qkv, setting);
}

}  // namespace etude::models
