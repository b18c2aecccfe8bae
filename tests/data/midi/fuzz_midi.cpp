#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "data/midi/midi.h"
#include "framework/config/error.h"

namespace {

using etude::data::Score;
using etude::data::Track;

bool same_tracks(const Score& a, const Score& b) {
  if (a.tracks.size() != b.tracks.size()) return false;
  for (std::size_t i = 0; i < a.tracks.size(); ++i) {
    const Track &left = a.tracks[i], &right = b.tracks[i];
    if (left.name != right.name || left.program != right.program || left.drums != right.drums) return false;
    if (left.notes != right.notes || left.pedals != right.pedals) return false;
  }
  return true;
}

}  // namespace

/// Whatever the bytes: either an Error, or a score that is written and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude::data;
  try {
    const Score score = midi::parse(std::as_bytes(std::span(data, size)), "fuzz.mid");
    const std::string written = midi::serialize(score);
    const Score back = midi::parse(std::as_bytes(std::span(written)), "written.mid");
    if (!same_tracks(score, back) || score.time_signatures != back.time_signatures ||
        score.key_signatures != back.key_signatures || score.tempos.size() != back.tempos.size()) {
      std::abort();
    }
  } catch (const etude::Error&) {
  }
  return 0;
}
