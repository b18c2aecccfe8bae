#include <gtest/gtest.h>

#include "tests/report/run_folders.h"
#include "tests/support/damage.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::report {
namespace {

// The bounded run of the fuzz target: it aborts when a figure is read that does not stand there.
TEST(MetricsFuzz, DamagedLinesAreReadAsTheyStandOrLeftOut) {
  const std::string seed =
      testing::metrics_of({.done = 60}) +
      "{\"loss\":null,\"nonfinite\":{\"loss\":\"nan\"},\"rank_seconds\":{\"max\":0.5,\"slowest\":1},\"step\":70}\n"
      "{\"eval_loss\":1.25,\"eval_loss_per_note\":null,\"epoch\":1,\"step\":70}\n";
  testing::Damage damage(1, testing::json_pieces());
  constexpr int kRounds = 10'000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string file = damage(seed);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  }
}

}  // namespace
}  // namespace etude::report
