#include <random>

#include <gtest/gtest.h>

#include "tests/data/midi/bytes.h"

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
  std::mt19937 generator(1);
  const auto below = [&generator](std::size_t limit) { return generator() % limit; };
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string file = seed;
    for (std::size_t change = 0; change <= below(6); ++change) {
      const std::size_t at = below(file.size());
      switch (below(4)) {
        case 0:
          file[at] = static_cast<char>(below(256));
          break;
        case 1:
          file[at] = static_cast<char>(file[at] ^ (1 << below(8)));
          break;
        case 2:
          file.insert(at, 1, static_cast<char>(below(256)));
          break;
        default:
          file.erase(at, 1 + below(4));
          break;
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  }
}

}  // namespace
}  // namespace etude::data::midi
