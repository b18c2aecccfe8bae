// How long the figures of a piece take, and a comparison of two sets:
//   bench_music [FILE.mid]     a piece of 10,000 notes made up here, or the one given
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "analysis/music_comparison.h"
#include "analysis/music_measures.h"
#include "analysis/repetition.h"
#include "analysis/self_similarity.h"
#include "bench/clocks.h"
#include "data/midi/midi.h"

namespace {

using namespace etude;

/// Chords and runs in sixteenths, of which every fourth bar is played again later.
data::Score made_up(int notes, unsigned seed) {
  std::mt19937 random(seed);
  data::Score score;
  auto& line = score.tracks.emplace_back().notes;
  while (static_cast<int>(line.size()) < notes) {
    const auto bar = static_cast<std::int64_t>(line.size() / 32);
    std::mt19937 same(seed + static_cast<unsigned>(bar % 16));
    auto& source = bar % 4 == 0 ? same : random;
    for (std::int64_t i = 0; i < 32; ++i) {
      line.push_back({bar * 1920 + i / 2 * 120, 120, 36 + static_cast<int>(source() % 48), 64});
    }
  }
  return score;
}

template <typename Work>
void report(const std::string& what, Work work) {
  std::vector<bench::Seconds> rounds;
  for (int round = 0; round < 5; ++round) {
    const bench::Seconds begin = bench::now();
    work();
    rounds.push_back(bench::now() - begin);
  }
  const bench::Seconds typical = bench::median(rounds);
  bench::print({{"what", what}, {"wall_ms", 1e3 * typical.wall}, {"cpu_ms", 1e3 * typical.cpu}});
}

}  // namespace

int main(int argc, char** argv) {
  const data::Score score = argc > 1 ? data::midi::read(argv[1]) : made_up(10'000, 1);
  const std::string notes = fmt::format(" of {} notes", data::count_notes(score));
  report("repetition at 4, 8, 16 and 32 notes," + notes, [&] { return analysis::repetition(score); });
  report("self-similarity" + notes, [&] { return analysis::SelfSimilarity(score).mean(); });
  report("all figures of a piece" + notes, [&] { return analysis::measure_music(score); });
  std::vector<analysis::PieceFigures> generated, reference;
  for (unsigned i = 0; i < 100; ++i) {
    generated.push_back(analysis::measure_piece("", made_up(512, i)));
    reference.push_back(analysis::measure_piece("", made_up(512 + static_cast<int>(i), 100 + i)));
  }
  report("comparison of 100 pieces with 100", [&] { return analysis::compare_music(generated, reference); });
}
