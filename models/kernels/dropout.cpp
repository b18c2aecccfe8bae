#include "models/kernels/dropout.h"

#include <cstring>
#include <string>
#include <type_traits>

#include <ATen/Parallel.h>
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

at::Tensor drop(const at::Tensor& x, const MaskStream& stream) {
  const at::Tensor in = x.contiguous();
  at::Tensor out = at::empty_like(in);
  const std::int64_t size = in.numel();
  const std::int64_t groups = (size + MaskStream::kGroup - 1) / MaskStream::kGroup;
  at::parallel_for(0, groups, 256, [&](std::int64_t first, std::int64_t last) {
    kernels().dropout[type_index(in)](in.const_data_ptr(), out.mutable_data_ptr(), size, first, last, stream);
  });
  return out;
}

struct Dropout : torch::autograd::Function<Dropout> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const MaskStream& stream) {
    RECORD_FUNCTION("dropout", {});
    context->saved_data["stream"] = pack(stream);
    return drop(x, stream);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {drop(gradients[0], unpack(context->saved_data["stream"])), at::Tensor()};
  }

 private:
  // The context keeps IValues: the stream goes in as its bytes.
  static_assert(std::is_trivially_copyable_v<MaskStream>);
  static c10::IValue pack(const MaskStream& stream) {
    return std::string(reinterpret_cast<const char*>(&stream), sizeof(stream));
  }
  static MaskStream unpack(const c10::IValue& value) {
    MaskStream stream;
    std::memcpy(&stream, value.toStringRef().data(), sizeof(stream));
    return stream;
  }
};

}  // namespace

at::Tensor dropout(const at::Tensor& x, double rate, const DropoutKey* key, std::uint32_t site) {
  if (key == nullptr || rate <= 0.0) return x;
  if (rate >= 1.0) throw Error("a dropout rate must be below 1");
  if (!x.is_cpu()) return on_gpu::dropout(x, rate, *key, site);
  check_type(x, "dropout");
  return Dropout::apply(x, MaskStream(*key, site, rate));
}

}  // namespace etude::models
