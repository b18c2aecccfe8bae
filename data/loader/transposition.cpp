#include "data/loader/transposition.h"

#include <algorithm>
#include <string>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "data/augment/transpose.h"
#include "data/loader/random.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

std::string in_words(const std::map<std::string, std::string>& where) {
  std::vector<std::string> wanted;
  for (const auto& [key, value] : where) wanted.push_back(fmt::format("'{}' in its {}", value, key));
  return fmt::format("{}", fmt::join(wanted, " and "));
}

}  // namespace

Transposition::Transposition(const TransposeOptions& options, const std::vector<Piece>& pieces,
                             const Vocabulary& vocabulary) {
  if (options.semitones.empty()) {
    if (options.where.empty()) return;
    throw UsageError("data.transpose.where chooses pieces, but data.transpose.semitones does not say by how much");
  }
  if (options.semitones.size() != 2 || options.semitones[0] > options.semitones[1]) {
    throw UsageError(fmt::format("data.transpose.semitones is [{}]: it must be [lowest, highest], such as [-5, 6]",
                                 fmt::join(options.semitones, ", ")));
  }
  bool found = false;
  for (const Piece& piece : pieces) {
    std::pair<int, int>& bounds = bounds_.emplace_back(0, 0);
    if (!fits(piece, options.where)) continue;
    found = true;
    const auto [down, up] = permitted_semitones({piece.pitch_low, piece.pitch_high}, vocabulary);
    const int low = std::max(static_cast<int>(options.semitones[0]), down);
    const int high = std::min(static_cast<int>(options.semitones[1]), up);
    if (low <= high) bounds = {low, high};
  }
  if (found) return;
  throw UsageError(
      fmt::format("data.transpose.where: no piece of the training split has {}. Its keys may be composer, "
                  "title, file and the pieces' labels, which 'etude inspect' shows",
                  in_words(options.where)));
}

int Transposition::draw(std::int64_t piece, std::uint64_t bits) const {
  if (bounds_.empty()) return 0;
  const auto [low, high] = bounds_[static_cast<std::size_t>(piece)];
  return static_cast<int>(uniform(bits, low, high));
}

}  // namespace etude::data
