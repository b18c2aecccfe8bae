#include "analysis/copying_report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace etude::analysis {
namespace {

using nlohmann::json;

/// What a group of pieces shares, as music.json has it.
struct Summary {
  double median = 0;
  std::int64_t most = 0;
  std::int64_t copied = 0;
  std::map<std::int64_t, double> overlap, overlap_exact;  ///< of all notes together
};

std::vector<std::int64_t> sorted_lengths(const std::vector<ComparedPiece>& pieces) {
  std::vector<std::int64_t> lengths;
  for (const ComparedPiece& piece : pieces) lengths.push_back(piece.telling());
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

/// Between the two nearest where it falls between them.
double quantile(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double between = place - static_cast<double>(below);
  return (1 - between) * static_cast<double>(sorted[below]) + between * static_cast<double>(sorted[above]);
}

double threshold_of(const std::vector<ComparedPiece>& held_out) {
  if (std::ssize(held_out) < kFewHeldOut) return static_cast<double>(kCopiedByItself);
  const std::vector<std::int64_t> lengths = sorted_lengths(held_out);
  const double low = std::max(1.0, quantile(lengths, 0.25)), high = std::max(1.0, quantile(lengths, 0.75));
  return std::max(static_cast<double>(kLeastCopied), high * std::pow(high / low, 1.5));
}

Summary summary(const std::vector<ComparedPiece>& pieces) {
  Summary all;
  const std::vector<std::int64_t> lengths = sorted_lengths(pieces);
  all.median = quantile(lengths, 0.5);
  all.most = lengths.empty() ? 0 : lengths.back();
  double notes = 0;
  for (const ComparedPiece& piece : pieces) {
    const auto its_notes = static_cast<double>(piece.shared.notes);
    all.copied += piece.copied ? 1 : 0;
    notes += its_notes;
    for (const auto& [length, share] : piece.shared.overlap) all.overlap[length] += share * its_notes;
    for (const auto& [length, share] : piece.shared.overlap_exact) all.overlap_exact[length] += share * its_notes;
  }
  for (auto* shares : {&all.overlap, &all.overlap_exact}) {
    for (auto& [length, share] : *shares) share = notes > 0 ? share / notes : 0;
  }
  return all;
}

json overlap_json(const std::map<std::int64_t, double>& overlap) {
  json shares = json::object();
  for (const auto& [length, share] : overlap) shares[std::to_string(length)] = share;
  return shares;
}

json run_json(const std::optional<SharedRun>& run) {
  if (!run) return nullptr;
  return {{"notes", run->notes},
          {"telling", run->telling},
          {"seconds", run->seconds},
          {"semitones", run->semitones},
          {"source", run->source},
          {"source_bar", run->source_bar},
          {"bar", run->bar},
          {"last_bar", run->last_bar},
          {"source_last_bar", run->source_last_bar}};
}

json summary_json(const std::vector<ComparedPiece>& pieces) {
  if (pieces.empty()) return nullptr;
  const Summary all = summary(pieces);
  return {{"pieces", pieces.size()},
          {"median", all.median},
          {"max", all.most},
          {"copied", all.copied},
          {"overlap", overlap_json(all.overlap)},
          {"overlap_exact", overlap_json(all.overlap_exact)}};
}

std::string bars(std::int64_t first, std::int64_t last) {
  return first == last ? fmt::format("bar {}", first) : fmt::format("bars {} to {}", first, last);
}

std::string moved(int semitones) {
  if (semitones == 0) return "at the same pitch";
  return fmt::format("{} semitone{} {}", std::abs(semitones), std::abs(semitones) == 1 ? "" : "s",
                     semitones > 0 ? "higher" : "lower");
}

std::string overlap_row(const char* name, const std::vector<ComparedPiece>& pieces) {
  const Summary all = summary(pieces);
  std::string row = fmt::format("  {:<12} {:>8.1f} {:>8}", name, all.median, all.most);
  for (const auto& [length, share] : all.overlap) row += fmt::format(" {:>8.1f}%", 100 * share);
  return row + "\n";
}

/// Compares all of them; `of` may be 0.
std::vector<ComparedPiece> compare_all(const CopyIndex& index, const NextScore& next, const std::string& doing,
                                       std::int64_t of, const CopyingProgress& progress) {
  std::vector<ComparedPiece> compared;
  while (const auto piece = next()) {
    compared.push_back({piece->name, index.compare(piece->score)});
    if (progress) progress(doing, std::ssize(compared), of);
  }
  return compared;
}

}  // namespace

CopyingReport find_copies(std::span<const NamedScore> generated, const NextScore& held_out, const NextScore& training,
                          const CopyingProgress& progress) {
  const CopyIndex index(training, [&](std::int64_t pieces) {
    if (progress) progress("reading the training set", pieces, 0);
  });
  CopyingReport report;
  report.training_pieces = index.pieces();
  report.training_notes = index.notes();
  report.held_out = compare_all(index, held_out, "comparing held-out pieces with it", 0, progress);
  std::size_t next = 0;
  const NextScore one_by_one = [&]() -> std::optional<NamedScore> {
    if (next == generated.size()) return std::nullopt;
    return generated[next++];
  };
  report.generated =
      compare_all(index, one_by_one, "comparing generated pieces with it", std::ssize(generated), progress);
  report.threshold = threshold_of(report.held_out);
  for (auto* pieces : {&report.generated, &report.held_out}) {
    for (ComparedPiece& piece : *pieces) piece.copied = static_cast<double>(piece.telling()) > report.threshold;
  }
  return report;
}

NextScore scores_of(const data::Pack& pack, data::Split split, std::int64_t most) {
  const std::vector<data::Piece>& pieces = pack.pieces(split);
  auto left = std::make_shared<std::vector<std::int64_t>>();  // indices, the last first
  for (std::int64_t i = std::ssize(pieces); i-- > 0;) {
    if (pieces[static_cast<std::size_t>(i)].transposed == 0) left->push_back(i);
  }
  if (const auto all = std::ssize(*left); most > 0 && all > most) {
    for (std::int64_t i = 0; i < most; ++i) {
      (*left)[static_cast<std::size_t>(i)] = (*left)[static_cast<std::size_t>(i * all / most)];
    }
    left->resize(static_cast<std::size_t>(most));
  }
  return [&pack, &pieces, split, left]() -> std::optional<NamedScore> {
    if (left->empty()) return std::nullopt;
    const std::int64_t index = left->back();
    left->pop_back();
    const data::Piece& piece = pieces[static_cast<std::size_t>(index)];
    std::vector<data::TokenId> tokens(static_cast<std::size_t>(piece.tokens));
    pack.read(split, index, 0, tokens);
    return NamedScore{piece.file, pack.tokenizer().decode(tokens)};
  };
}

json to_json(const ComparedPiece& piece) {
  return {{"longest", run_json(piece.shared.longest)},
          {"longest_exact", run_json(piece.shared.longest_exact)},
          {"overlap", overlap_json(piece.shared.overlap)},
          {"overlap_exact", overlap_json(piece.shared.overlap_exact)},
          {"copied", piece.copied}};
}

json to_json(const CopyingReport& report) {
  json copies = json::array();
  for (const ComparedPiece& piece : report.generated) {
    if (!piece.copied) continue;
    json copy = run_json(piece.shared.longest);
    copy["file"] = piece.name;
    copy["sentence"] = in_words(piece);
    copies.push_back(std::move(copy));
  }
  return {{"threshold", report.threshold},
          {"training", {{"pieces", report.training_pieces}, {"notes", report.training_notes}}},
          {"generated", summary_json(report.generated)},
          {"held_out", summary_json(report.held_out)},
          {"copies", copies}};
}

std::string in_words(const ComparedPiece& piece) {
  if (!piece.shared.longest) return "";
  const SharedRun& run = *piece.shared.longest;
  return fmt::format("{}, {}: {} notes ({:.0f} s) of {}, {}, {}", piece.name, bars(run.bar, run.last_bar), run.notes,
                     run.seconds, run.source, bars(run.source_bar, run.source_last_bar), moved(run.semitones));
}

std::string in_words(const CopyingReport& report) {
  const std::int64_t copied = summary(report.generated).copied, of = std::ssize(report.generated);
  std::string text =
      fmt::format("{} of {} pieces {} from the training set\n", copied == 0 ? "none" : std::to_string(copied), of,
                  copied == 1 ? "is copied" : "are copied");
  for (const ComparedPiece& piece : report.generated) {
    if (piece.copied) text += fmt::format("  {}\n", in_words(piece));
  }
  text += fmt::format("  a run of more than {:.0f} notes, repeated figures counted once, is called a copy: ",
                      std::floor(report.threshold));
  text +=
      std::ssize(report.held_out) < kFewHeldOut
          ? fmt::format("a fixed number, since {} held-out pieces do not say what is usual\n", report.held_out.size())
          : "held-out pieces hardly ever share that much\n";
  text += fmt::format("  {:<12} {:^17} {:^29}\n", "", "longest run", "notes in shared runs of");
  text += fmt::format("  {:<12} {:>8} {:>8}", "", "median", "most");
  for (const std::int64_t length : kOverlapLengths) text += fmt::format(" {:>8}+", length);
  text += "\n" + overlap_row("generated", report.generated);
  if (!report.held_out.empty()) text += overlap_row("held out", report.held_out);
  if (const std::int64_t versions = summary(report.held_out).copied; versions > 0) {
    text += fmt::format("  {} of the {} held-out pieces share more than that: other versions of training pieces\n",
                        versions, report.held_out.size());
  }
  return text;
}

}  // namespace etude::analysis
