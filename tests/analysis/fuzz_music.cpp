#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/copying.h"
#include "analysis/excerpt.h"
#include "analysis/music_comparison.h"
#include "analysis/music_measures.h"
#include "analysis/self_similarity.h"
#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "tests/support/damage.h"

namespace {

using namespace etude;
using testing::require;

bool is_share(double value) { return std::isnan(value) || (value >= 0 && value <= 1 + 1e-9); }

void check(const analysis::PieceFigures& figures, double pitched) {
  require(figures.measures.size() == analysis::music_measures().size(), "every measure has its figure");
  for (const double value : figures.measures) require(!std::isinf(value), "a figure is a number, or none");
  for (const std::size_t kind : {0, 1, 3}) {  // pitches, pitch classes, durations
    const auto& counts = figures.histograms[kind];
    require(std::accumulate(counts.begin(), counts.end(), 0.0) == pitched, "every note is counted once");
  }
  for (const analysis::Repetition& passage : figures.repetition) {
    require(is_share(passage.transposed) && is_share(passage.exact), "how much repeats is a share");
    require(!(passage.exact > passage.transposed), "what repeats at its pitch repeats");
  }
  for (const double alike : figures.similarity) require(is_share(alike), "how alike bars are is a share");
}

/// A piece beside itself is a copy from its first note to its last.
void check_copying(const data::Score& score) {
  bool given = false;
  const analysis::CopyIndex index([&]() -> std::optional<analysis::NamedScore> {
    if (std::exchange(given, true)) return std::nullopt;
    return analysis::NamedScore{"itself", score};
  });
  const analysis::Copying copying = index.compare(score);
  require(copying.notes == index.notes(), "a piece has as many notes beside itself");
  if (copying.notes < 2) return;
  require(copying.longest && copying.longest_exact && copying.longest_exact->notes == copying.notes &&
              copying.longest->notes == copying.notes,
          "a piece is a copy of itself");
  require(copying.longest->semitones == 0 && copying.longest->bar == copying.longest->source_bar &&
              copying.longest->last_bar == copying.longest->source_last_bar && copying.longest->seconds >= 0,
          "and stands where it stands");
  for (const auto& [length, share] : copying.overlap) {
    require(is_share(share) && share + 1e-9 >= copying.overlap_exact.at(length), "what is copied is a share");
  }
}

}  // namespace

/// Whatever the bytes of a MIDI file: an Error, or a piece of which all can be told that music.json tells.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const data::Score score = data::midi::parse(std::as_bytes(std::span(data, size)), "fuzz.mid");
    const auto pitched = analysis::pitched_notes(score);
    const analysis::PieceFigures figures = analysis::measure_piece("fuzz.mid", score);
    check(figures, static_cast<double>(pitched));
    require(analysis::pitched_notes(analysis::first_notes(score, pitched / 2)) >= pitched / 2,
            "an excerpt has the notes that were asked for");
    require(!analysis::describe_music(analysis::compare_music({&figures, 1}, {&figures, 1})).empty(), "it is told");
    check_copying(score);
  } catch (const Error&) {
  }
  return 0;
}
