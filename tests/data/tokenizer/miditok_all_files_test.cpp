#include <gtest/gtest.h>

#include "data/tokenizer/remi.h"
#include "tests/data/tokenizer/miditok_oracle.h"

namespace etude::data {
namespace {

using namespace etude::testing;

TEST(MidiTok, WritesTheSameTokensForEveryRealFile) {
  const auto music = real_music();
  if (!music) GTEST_SKIP() << "no real music beside the project ($ETUDE_SHARED)";
  if (!oracle_python()) GTEST_SKIP() << "no Python with MidiTok: run script/setup --test";
  const auto files = real_midi_files(*music, 1);
  ASSERT_GT(files.size(), 2000U);
  expect_files_as_miditok(Remi(), files);
}

}  // namespace
}  // namespace etude::data
