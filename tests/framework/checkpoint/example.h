#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "framework/checkpoint/snapshot.h"
#include "framework/config/error.h"
#include "tests/support/oracle.h"

namespace etude::testing {

/// A small snapshot; `values` of its tensors tell its step.
inline checkpoint::Snapshot snapshot_at(std::int64_t step, std::optional<double> metric = {}, std::int64_t values = 8) {
  checkpoint::Snapshot snapshot;
  snapshot.step = step;
  snapshot.metric = metric;
  snapshot.model = {{"weight", at::full({values}, static_cast<double>(step), at::kFloat)}};
  snapshot.model_config = {{"model_type", "gpt2"}};
  snapshot.optimizer = {{"updates", at::full({1}, step, at::kLong)}, {"exp_avg.weight", at::zeros({values})}};
  snapshot.lanes = {{"heard", at::full({2}, step, at::kLong)}, {"memory.0", at::full({2, 3}, 0.5)}};
  snapshot.state = {{"tokens", 100 * step}, {"seconds", 0.1 + 0.2}};
  return snapshot;
}

inline void overwrite(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

/// What an Error of `action` says, or "no error".
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace etude::testing
