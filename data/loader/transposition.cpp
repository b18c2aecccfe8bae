#include "data/loader/transposition.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "data/loader/random.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::optional<std::string> property(const Piece& piece, const std::string& key) {
  if (key == "composer") return piece.composer;
  if (key == "title") return piece.title;
  if (key == "file") return piece.file;
  const auto label = piece.labels.find(key);
  return label == piece.labels.end() ? std::nullopt : std::optional(label->second);
}

std::string in_words(const std::map<std::string, std::string>& where) {
  std::vector<std::string> wanted;
  for (const auto& [key, value] : where) wanted.push_back(fmt::format("'{}' in its {}", value, key));
  return fmt::format("{}", fmt::join(wanted, " and "));
}

}  // namespace

bool matches(const Piece& piece, const std::map<std::string, std::string>& where) {
  return std::ranges::all_of(where, [&](const auto& wanted) {
    const std::optional<std::string> value = property(piece, wanted.first);
    return value && lower(*value).find(lower(wanted.second)) != std::string::npos;
  });
}

Transposition::Transposition(const TransposeOptions& options, const std::vector<Piece>& pieces,
                             std::pair<int, int> pitches) {
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
    if (!matches(piece, options.where)) continue;
    found = true;
    if (piece.pitch_low > piece.pitch_high) continue;
    const int low = std::max(static_cast<int>(options.semitones[0]), pitches.first - piece.pitch_low);
    const int high = std::min(static_cast<int>(options.semitones[1]), pitches.second - piece.pitch_high);
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
