#include "framework/checkpoint/weights.h"

#include <map>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"

namespace etude::checkpoint {

void copy_by_name(const models::NamedTensors& into, const models::NamedTensors& from, const std::string& place) {
  const c10::NoGradGuard no_gradients;
  const std::map<std::string, at::Tensor> by_name(from.begin(), from.end());
  for (const auto& [name, target] : into) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      throw Error(fmt::format("{}: holds no tensor '{}'; is it of another model?", place, name));
    }
    if (found->second.sizes() != target.sizes()) {
      throw Error(fmt::format("{}: '{}' has shape [{}] where [{}] is needed; is it of another model or vocabulary?",
                              place, name, fmt::join(found->second.sizes(), ", "), fmt::join(target.sizes(), ", ")));
    }
    target.copy_(found->second);
  }
}

void load_weights(models::Model& model, const models::NamedTensors& weights, const std::string& place) {
  models::NamedTensors into;
  for (const models::Parameter& parameter : model.parameters())
    into.emplace_back(parameter.name, parameter.value.detach());
  copy_by_name(into, weights, place);
}

}  // namespace etude::checkpoint
