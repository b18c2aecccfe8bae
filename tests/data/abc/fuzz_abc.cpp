#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/abc/abc.h"

/// Whatever the text: no exception, and scores whose notes are playable and in order.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude::data;
  const abc::Book book = abc::parse({reinterpret_cast<const char*>(data), size});
  for (const abc::Tune& tune : book.tunes) {
    if (tune.score.tracks.empty() || tune.score.ticks_per_quarter < 1 || tune.score.ticks_per_quarter > 32767)
      std::abort();
    for (const Track& track : tune.score.tracks) {
      std::int64_t last = 0;
      for (const Note& note : track.notes) {
        if (note.start < last || note.duration < 1 || note.pitch < 0 || note.pitch > 127) std::abort();
        last = note.start;
      }
    }
  }
  return 0;
}
