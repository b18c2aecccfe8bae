#include "framework/train/weight_distributions.h"

#include <charconv>
#include <optional>
#include <string_view>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace etude::train {
namespace {

/// The first part of a dotted name that is a number: 3 of "transformer.h.3.attn.c_attn.weight".
std::optional<int> layer_of(std::string_view name) {
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    int layer = 0;
    const auto [rest, trouble] = std::from_chars(name.data(), name.data() + end, layer);
    if (trouble == std::errc() && rest == name.data() + end) return layer;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return std::nullopt;
}

}  // namespace

std::map<std::string, log::Distribution> weight_distributions(const std::vector<models::Parameter>& parameters) {
  std::map<std::string, log::Distribution> groups;
  for (const models::Parameter& parameter : parameters) {
    const auto layer = layer_of(parameter.name);
    const std::string group = layer ? fmt::format("layer-{:02}/{}", *layer, parameter.part) : parameter.part;
    const at::Tensor values = parameter.value.detach().to(at::kCPU, at::kFloat).contiguous();
    groups[group].add({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
  }
  return groups;
}

}  // namespace etude::train
