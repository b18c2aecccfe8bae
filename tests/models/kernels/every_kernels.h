#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/kernels/kernels.h"

namespace etude::models {
// The widest kernels as compiled for AVX2, so that their layouts are tested on processors without AVX-512 too.
namespace wide {
extern const Kernels kKernels;
}
namespace wide_pairs {
extern const Kernels kKernels;
}
}  // namespace etude::models

namespace etude::testing {

inline std::vector<const models::Kernels*> every_kernels() {
  std::vector<const models::Kernels*> every = models::available_kernels();
  if (every.size() > 1) every.insert(every.end(), {&models::wide::kKernels, &models::wide_pairs::kKernels});
  return every;
}

/// Runs a test with each set of kernels in turn.
class EveryKernels : public ::testing::TestWithParam<const models::Kernels*> {
 protected:
  void SetUp() override { models::use_kernels(GetParam()); }
  void TearDown() override { models::use_kernels(nullptr); }
};

inline std::string kernels_name(const ::testing::TestParamInfo<const models::Kernels*>& info) {
  return info.param->name;
}

}  // namespace etude::testing
