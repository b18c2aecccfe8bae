#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/music/score.h"

namespace etude::cli {

/// One piece of a music file.
struct MusicPiece {
  std::string tune;  ///< of a book in ABC its number, as in book.abc#12; else empty
  data::Score score;
  std::int64_t upbeat = 0;  ///< ticks before the first whole bar, where the file says so
};

/// The pieces of a MIDI file (one) or of a book in ABC: all of it, or of book.abc#12 its tune X:12. Throws UsageError
/// for what is not there, Error for what cannot be read, both naming the file; `flag` ("--prompt: ") comes before.
std::vector<MusicPiece> read_music(const std::filesystem::path& file, const std::string& flag = "");

}  // namespace etude::cli
