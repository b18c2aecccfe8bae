#include <algorithm>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/damage.h"
#include "tests/support/oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::launch {
namespace {

// The bounded run of the fuzz target: it aborts when a cluster file is not read back as it was written out.
TEST(ClusterFuzz, DamagedClusterFilesAreRefusedOrUnderstood) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(ETUDE_SOURCE_DIR) + "/clusters")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  ASSERT_FALSE(files.empty());
  std::ranges::sort(files);
  testing::Damage damage(1, {"- ",
                             ": ",
                             "&a ",
                             "*a",
                             "|\n",
                             "\n\n",
                             "\t",
                             "''",
                             "\"\\x00\"",
                             "~",
                             "1e308",
                             "-1",
                             "0x7",
                             "9223372036854775808",
                             "1-00:00:00",
                             "[]",
                             "{}",
                             "!!str",
                             "engine: local\n",
                             "\xff",
                             "\x85"});
  constexpr int kRoundsEach = 80;
  for (const auto& file : files) {
    const std::string seed = testing::slurp(file);
    for (int round = 0; round < kRoundsEach; ++round) {
      const std::string changed = damage(seed);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(changed.data()), changed.size());
    }
  }
}

}  // namespace
}  // namespace etude::launch
