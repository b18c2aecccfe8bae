#include "analysis/music_report.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/excerpt.h"
#include "analysis/music_comparison.h"
#include "framework/config/error.h"

namespace etude::analysis {
namespace {

std::vector<PieceFigures> measure_all(const std::vector<NamedScore>& pieces, const std::string& doing, int threads,
                                      const CopyingProgress& progress) {
  std::vector<PieceFigures> figures(pieces.size());
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::int64_t done = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < pieces.size(); i = next++) {
      figures[i] = measure_piece(pieces[i].name, pieces[i].score);
      const std::lock_guard lock(mutex);
      if (progress) progress(doing, ++done, std::ssize(pieces));
    }
  };
  std::vector<std::jthread> helpers;
  for (int i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  helpers.clear();  // joins them
  return figures;
}

/// Gives pieces as `pieces` does, cut to `notes` notes.
NextScore cut(NextScore pieces, std::int64_t notes) {
  return [pieces = std::move(pieces), notes]() -> std::optional<NamedScore> {
    std::optional<NamedScore> piece = pieces();
    if (piece) piece->score = first_notes(piece->score, notes);
    return piece;
  };
}

}  // namespace

MusicReport measure_music_beside(const std::vector<NamedScore>& pieces, const data::Pack& pack, data::Split split,
                                 int threads, const CopyingProgress& progress) {
  std::int64_t most = 0;
  for (const NamedScore& piece : pieces) most = std::max(most, pitched_notes(piece.score));
  if (most == 0) throw UsageError("none of the pieces to be measured has a note with a pitch");
  if (pack.pieces(split).empty()) {
    throw UsageError(
        fmt::format("{}: its {} split holds no piece to compare with", pack.folder().string(), data::to_string(split)));
  }
  std::vector<NamedScore> reference;
  const NextScore next = cut(scores_of(pack, split), most);
  while (auto piece = next()) reference.push_back(std::move(*piece));

  MusicReport report;
  report.found = compare_music(measure_all(pieces, "measuring pieces", threads, progress),
                               measure_all(reference, "measuring the reference", threads, progress));
  report.found["reference"] = {{"split", data::to_string(split)}, {"pieces", reference.size()}, {"most_notes", most}};
  std::size_t at = 0;
  const NextScore held_out = [&]() -> std::optional<NamedScore> {
    if (at == reference.size()) return std::nullopt;
    return std::move(reference[at++]);
  };
  const CopyingReport copying = find_copies(pieces, held_out, scores_of(pack, data::Split::kTrain), progress);
  for (std::size_t i = 0; i < pieces.size(); ++i) report.found["pieces"][i]["copying"] = to_json(copying.generated[i]);
  report.found["copying"] = to_json(copying);
  report.words = describe_music(report.found) + in_words(copying);
  return report;
}

}  // namespace etude::analysis
