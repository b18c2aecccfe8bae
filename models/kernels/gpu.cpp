#include "models/kernels/gpu.h"

#include <mutex>

#include <ATen/Context.h>
#include <ATen/ops/native_dropout.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace etude::models::on_gpu {

namespace {

/// splitmix64's last mixing (Steele et al. 2014), so that neighbouring numbers give seeds far apart.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

void seed_device(const at::Device& device, const DropoutKey& key, std::uint32_t site) {
  std::uint64_t seed = 0;
  for (const std::uint64_t part : {key.seed, key.step, key.grain, std::uint64_t{site}}) {
    seed = mixed(seed + part + 0x9e3779b97f4a7c15ULL);
  }
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
}

}  // namespace

at::Tensor causal_attention(const at::Tensor& qkv, std::int64_t heads, double rate, const DropoutKey* key,
                            std::uint32_t site) {
  const bool drops = key != nullptr && rate > 0.0;
  if (drops) seed_device(qkv.device(), *key, site);
  const std::int64_t batch = qkv.size(0), time = qkv.size(1);
  const at::Tensor parts =
      qkv.view({batch, time, 3, heads, -1}).permute({2, 0, 3, 1, 4});  // [3, batch, heads, time, …]
  const at::Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], std::nullopt,
                                                            drops ? rate : 0.0, /*is_causal=*/true);
  return mixed.transpose(1, 2).reshape({batch, time, qkv.size(2) / 3});
}

at::Tensor dropout(const at::Tensor& x, double rate, const DropoutKey& key, std::uint32_t site) {
  seed_device(x.device(), key, site);
  return std::get<0>(at::native_dropout(x, rate, /*train=*/true));
}

}  // namespace etude::models::on_gpu
