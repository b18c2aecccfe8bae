#include <gtest/gtest.h>

#include "tests/data/midi/bytes.h"
#include "tests/support/damage.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::data::midi {
namespace {

std::string small_piece() {
  Score score;
  score.title = "Invention";
  score.tempos = {{0, 60.0}, {960, 90.0}};
  score.time_signatures = {{0, 3, 4}, {1440, 12, 8}};
  score.key_signatures = {{0, 2, false}};
  for (int part = 0; part < 3; ++part) {
    Track track{"part", part, part == 2, {}, {{0, 100}, {100, 50}}};
    for (int i = 0; i < 12; ++i) track.notes.push_back({i * 120, 60 + i * 20, 40 + 7 * part + i % 5, 50 + i});
    score.tracks.push_back(std::move(track));
  }
  return serialize(score);
}

// The bounded run of the fuzz target: it aborts when a score is not written and read back the same.
TEST(MidiFuzz, MutationsOfAPieceNeitherCrashNorReadBackDifferently) {
  const std::string seed = small_piece();
  testing::Damage damaged(1);
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string file = damaged(seed);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  }
}

}  // namespace
}  // namespace etude::data::midi
