#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "data/shard/pack_state.h"

namespace etude::data {
namespace {

std::string with_thousands(std::int64_t value) {
  if (value < 1000) return std::to_string(value);
  return fmt::format("{},{:03}", with_thousands(value / 1000), value % 1000);
}

std::string hours(double seconds) {
  const auto minutes = static_cast<std::int64_t>(seconds / 60);
  return fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, static_cast<std::int64_t>(seconds) % 60);
}

/// "chopin 48, liszt 16, … and 12 more", the most frequent first.
std::string most_frequent(const std::map<std::string, std::int64_t>& counts) {
  constexpr std::size_t kShown = 8;
  std::vector<std::pair<std::string, std::int64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, sorted.size()); ++i) {
    const auto& [name, count] = sorted[i];
    text += fmt::format("{}{} {}", i > 0 ? ", " : "", name.empty() ? "(unknown)" : name, with_thousands(count));
  }
  return sorted.size() > kShown ? fmt::format("{} and {} more", text, sorted.size() - kShown) : text;
}

std::string table(const Manifest& manifest) {
  std::string text =
      fmt::format("  {:<12}{:>10}{:>14}{:>14}{:>12}  {}\n", "split", "pieces", "tokens", "notes", "time", "file");
  for (const Split which : kSplits) {
    const ManifestSplit& split = manifest.split(which);
    text += fmt::format("  {:<12}{:>10}{:>14}{:>14}{:>12}  {}\n", to_string(which),
                        with_thousands(static_cast<std::int64_t>(split.pieces.size())), with_thousands(split.tokens()),
                        with_thousands(split.notes()), hours(split.seconds()), split.file);
  }
  return text;
}

}  // namespace

std::string Pack::describe() const {
  const Manifest& manifest = state_->manifest;
  std::map<std::string, std::int64_t> composers;
  std::map<std::string, std::map<std::string, std::int64_t>> labels;
  std::int64_t pieces = 0, copies = 0;
  for (const ManifestSplit& split : manifest.splits) {
    for (const Piece& piece : split.pieces) {
      ++pieces;
      if (piece.transposed != 0) ++copies;
      ++composers[piece.composer];
      for (const auto& [name, value] : piece.labels) ++labels[name][value];
    }
  }
  std::string text = fmt::format("pack {}\n", folder().string());
  text += fmt::format("  {} pieces{}, tokenizer {}, vocabulary of {}\n", with_thousands(pieces),
                      copies > 0 ? fmt::format(" ({} of them transposed copies)", with_thousands(copies)) : "",
                      tokenizer().name(), vocabulary().size());
  text += table(manifest);
  if (vocabulary().pitch_range().second >= 0) {
    text +=
        fmt::format("  pitches      {} to {}\n", vocabulary().pitch_range().first, vocabulary().pitch_range().second);
  }
  if (!composers.empty()) text += fmt::format("  composers    {}\n", most_frequent(composers));
  for (const auto& [name, values] : labels) text += fmt::format("  label {:<6} {}\n", name, most_frequent(values));
  text += fmt::format("  left out     {} (pack.json tells which and why)\n",
                      with_thousands(static_cast<std::int64_t>(manifest.skipped.size())));
  text += fmt::format("  made with    {}\n", manifest.made.dump());
  text += fmt::format("  hash         {}\n", hash());
  return text;
}

}  // namespace etude::data
