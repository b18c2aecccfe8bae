#include <gtest/gtest.h>

#include "tests/data/midi/damaged_piece.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::analysis {
namespace {

/// A tune with an accompaniment that repeats, drums, and changes of meter and tempo.
std::string piece() {
  data::Score score;
  score.tempos = {{0, 90.0}, {1920, 60.0}};
  score.time_signatures = {{0, 3, 4}, {2880, 12, 8}};
  data::Track tune, accompaniment, drums;
  drums.drums = true;
  for (int i = 0; i < 24; ++i) {
    tune.notes.push_back({i * 240, 200 + 40 * (i % 3), 60 + i * 5 % 13, 40 + i});
    accompaniment.notes.push_back({i * 240, 240, 40 + i % 4 * 5, 50});
    if (i % 4 == 0) drums.notes.push_back({i * 240, 60, 36, 90});
  }
  score.tracks = {tune, accompaniment, drums};
  return data::midi::serialize(score);
}

// The bounded run of the fuzz target: it aborts when a share is none, or a piece is no copy of itself.
TEST(MusicFuzz, DamagedPiecesAreRefusedOrMeasured) {
  const std::string seed = piece();
  using data::midi::bytes;
  testing::Damage damage(1, {bytes({0x8f, 0xff, 0x7f}), bytes({0xff, 0xff, 0xff, 0x7f}),
                             bytes({0, 0xff, 0x51, 3, 0, 0, 1}), bytes({0, 0xff, 0x58, 4, 255, 0, 24, 8}),
                             bytes({0, 0xff, 0x58, 4, 1, 8, 24, 8}), bytes({0, 0x90, 127, 1}), bytes({0, 0xc0, 5})});
  constexpr int kRounds = 5000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string file = data::midi::damaged_piece(seed, damage);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  }
}

}  // namespace
}  // namespace etude::analysis
