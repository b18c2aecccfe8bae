#include "cli/music_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/abc/abc.h"
#include "data/midi/midi.h"
#include "data/pack/text.h"
#include "framework/config/error.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

bool is_abc(const fs::path& file) { return data::lower_case(file.extension().string()) == ".abc"; }

std::vector<MusicPiece> pieces_of(data::abc::Book&& book) {
  std::vector<MusicPiece> pieces;
  for (data::abc::Tune& tune : book.tunes) {
    pieces.push_back({std::to_string(tune.number), std::move(tune.score), tune.upbeat});
  }
  return pieces;
}

}  // namespace

std::vector<MusicPiece> read_music(const fs::path& path, const std::string& flag) {
  fs::path file = path;
  std::string number;
  const std::string text = path.string();
  if (const auto hash = text.rfind('#'); hash != std::string::npos && !fs::exists(path)) {
    file = text.substr(0, hash);
    number = text.substr(hash + 1);
  }
  if (!fs::exists(file)) throw UsageError(fmt::format("{}{}: no such file", flag, file.string()));
  if (!is_abc(file)) {
    if (number.empty()) return {{"", data::midi::read(file), 0}};
    throw UsageError(fmt::format("{}{}: only a book in ABC has tunes to choose from", flag, text));
  }
  std::vector<MusicPiece> pieces = pieces_of(data::abc::read(file));
  if (pieces.empty()) throw Error(fmt::format("{}{}: holds no tune that can be read", flag, file.string()));
  if (number.empty()) return pieces;
  const auto tune =
      std::find_if(pieces.begin(), pieces.end(), [&](const MusicPiece& one) { return one.tune == number; });
  if (tune == pieces.end()) {
    std::vector<std::string> numbers;
    for (const MusicPiece& piece : pieces) numbers.push_back(piece.tune);
    numbers.resize(std::min<std::size_t>(numbers.size(), 20));
    throw UsageError(fmt::format("{}{}: there is no tune X:{} that can be read; there are {}{}", flag, file.string(),
                                 number, fmt::join(numbers, ", "), pieces.size() > 20 ? ", …" : ""));
  }
  std::vector<MusicPiece> one;
  one.push_back(std::move(*tune));
  return one;
}

}  // namespace etude::cli
