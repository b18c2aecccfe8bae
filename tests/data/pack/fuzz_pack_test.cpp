#include <random>

#include <gtest/gtest.h>

#include "tests/support/oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
std::filesystem::path fuzzed_file(std::uint8_t which);

namespace etude::data {
namespace {

/// The bounded run of the fuzz target: bits flipped, bytes set, the end cut off.
void damage(std::uint8_t which, int rounds) {
  const std::string good = testing::slurp(fuzzed_file(which));
  std::mt19937 random(which);
  for (int round = 0; round < rounds; ++round) {
    std::string bad = good;
    if (round % 4 == 0) {
      bad.resize(random() % bad.size());
    } else {
      for (int change = 0; change < round % 4; ++change) {
        // Most of a shard's structure stands in its first and last few hundred bytes.
        const std::size_t near = random() % std::min<std::size_t>(bad.size(), 1500);
        const std::size_t at = random() % 3 == 0   ? random() % bad.size()
                               : random() % 2 == 0 ? near
                                                   : bad.size() - 1 - near;
        bad[at] =
            static_cast<char>(random() % 2 == 0 ? bad[at] ^ (1 << random() % 8) : static_cast<int>(random() % 256));
      }
    }
    bad.insert(bad.begin(), static_cast<char>(which));
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bad.data()), bad.size());
  }
}

TEST(PackFuzz, DamagedDescriptionsAreErrorsOrHarmless) { damage(0, 400); }
TEST(PackFuzz, DamagedHdf5ShardsAreErrorsOrHarmless) { damage(1, 800); }
TEST(PackFuzz, DamagedTorchShardsAreErrorsOrHarmless) { damage(2, 800); }

}  // namespace
}  // namespace etude::data
