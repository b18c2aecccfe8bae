#include "tests/report/fuzz_run_folder.h"

#include <gtest/gtest.h>

#include "tests/support/damage.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::report {
namespace {

class RunFolderFuzz : public ::testing::TestWithParam<std::size_t> {};

// The bounded run of the fuzz target: it aborts when the report or the watch comes to grief.
TEST_P(RunFolderFuzz, DamagedFilesAreReportedOrLeftOut) {
  const std::size_t which = GetParam();
  const std::string good = testing::good_file(which);
  std::vector<std::string> pieces = testing::json_pieces();
  if (which == 0) pieces.insert(pieces.end(), {"&a ", "*a", "- ", "!!", "|\n", "\t", "? "});
  testing::Damage damage(static_cast<std::uint32_t>(which), pieces);
  const int rounds = testing::files_of_a_run()[which] == "evaluation.json" ? 80 : 25;
  for (int round = 0; round < rounds; ++round) {
    const std::string input = static_cast<char>(which) + damage(good);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
}

TEST_P(RunFolderFuzz, DepthIsNoDanger) {
  const std::string which(1, static_cast<char>(GetParam()));
  const std::string open(100'000, '['), close(100'000, ']');
  for (const std::string& content : {open, open + close, "{\"test\":{\"by_family\":" + open + close + "}}"}) {
    const std::string input = which + content;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Files, RunFolderFuzz, ::testing::Range<std::size_t>(0, testing::files_of_a_run().size()),
                         [](const auto& which) {
                           std::string name = testing::files_of_a_run()[which.param];
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace etude::report
