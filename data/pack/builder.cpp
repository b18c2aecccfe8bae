#include "data/pack/builder.h"

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>

#include "data/augment/transpose.h"
#include "data/pack/in_order.h"
#include "data/pack/labels.h"
#include "data/pack/output_folder.h"
#include "data/pack/reading.h"
#include "data/pack/split_writer.h"
#include "data/pack/text.h"
#include "framework/files/files.h"

namespace etude::data {
namespace {

namespace fs = std::filesystem;

void check(const PackRequest& request) {
  if (request.inputs.empty()) throw UsageError("no music was named: give --input");
  if (request.validation < 0 || request.test < 0 || !(request.validation + request.test < 1)) {
    throw UsageError(fmt::format("--validation {} and --test {} must be shares that leave something to train on",
                                 request.validation, request.test));
  }
  if (request.transpose && request.transpose->first > request.transpose->second) {
    throw UsageError(fmt::format("--transpose {}..{}: the lower end comes first", request.transpose->first,
                                 request.transpose->second));
  }
  if (!request.transpose && !request.transpose_where.empty()) {
    throw UsageError("--transpose-where says which pieces to transpose, but --transpose does not say by how much");
  }
}

/// What of the request shapes the pack's content. Not what depends on the machine or the hour: the same music must give
/// the same bytes.
nlohmann::json how_made(const PackRequest& request) {
  nlohmann::json options{{"format", request.format == ShardFormat::kHdf5 ? "h5" : "pt"},
                         {"tokenizer", request.tokenizer},
                         {"validation", request.validation},
                         {"test", request.test},
                         {"min_notes", request.min_notes}};
  if (request.transpose) {
    options["transpose"] = {request.transpose->first, request.transpose->second};
    options["transpose_where"] = request.transpose_where;
  }
  if (request.labels) options["labels"] = clean_text(request.labels->filename().string());
  return {{"program", "etude " ETUDE_VERSION}, {"options", options}};
}

/// Takes the files' pieces in order, and decides which go into the pack, and where.
class PackBuilder {
 public:
  PackBuilder(const PackRequest& request, const PackWatch& watch, const fs::path& folder)
      : request_(request),
        watch_(watch),
        tokenizer_(make_tokenizer(request.tokenizer)),
        labels_(request.labels ? Labels::read(*request.labels) : Labels()) {
    const std::string extension = request.format == ShardFormat::kHdf5 ? ".h5" : ".pt";
    for (const Split split : kSplits) writers_.emplace_back(folder, split, extension, tokenizer_->vocabulary());
  }

  void take(const std::vector<Source>& files) {
    const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const int threads = request_.threads > 0 ? request_.threads : cores;
    const auto count = static_cast<std::int64_t>(files.size());
    in_order<Reading>(
        count, threads, 4 * threads,
        [&](std::int64_t i) { return read_source(files[static_cast<std::size_t>(i)], *tokenizer_, labels_); },
        [&](std::int64_t i, Reading reading) {
          stop_if_asked();
          for (const Skipped& skipped : reading.skipped) skip(skipped);
          for (Draft& draft : reading.drafts) take(std::move(draft));
          if (watch_.progress) watch_.progress(i + 1, count);
        });
  }

  void skip(const Skipped& skipped) {
    if (watch_.skipped) watch_.skipped(skipped);
    manifest_.skipped.push_back(skipped);
  }

  Manifest finish() {
    for (const Split split : kSplits) {
      stop_if_asked();
      manifest_.split(split) = writers_[static_cast<std::size_t>(split)].finish();
    }
    manifest_.tokenizer = tokenizer_->to_json();
    manifest_.vocabulary = tokenizer_->vocabulary().tokens();
    manifest_.made = how_made(request_);
    return std::move(manifest_);
  }

  std::vector<std::string> warnings() const {
    std::vector<std::string> warnings;
    for (const Split split : kSplits) {
      const double share = split == Split::kTrain        ? 1 - request_.validation - request_.test
                           : split == Split::kValidation ? request_.validation
                                                         : request_.test;
      if (share == 0 || pieces_[static_cast<std::size_t>(split)] > 0) continue;
      warnings.push_back(fmt::format(
          "no piece fell into the {} split: a piece's music decides where it goes, and with {} pieces a share "
          "of {:g} may stay empty; add music or give another share",
          to_string(split), pieces_[0] + pieces_[1] + pieces_[2], share));
    }
    if (request_.transpose && fitting_ == 0) {
      warnings.push_back("no training piece is one that --transpose-where means: nothing was transposed");
    }
    const auto unused = labels_.unused(named_);
    if (!unused.empty()) {
      warnings.push_back(fmt::format("{}: {} rows are about no piece of this pack (the first: '{}')",
                                     request_.labels->filename().string(), unused.size(), unused.front()));
    }
    return warnings;
  }

 private:
  void take(Draft draft) {
    const Piece& piece = draft.piece;
    named_.insert(piece.file);
    if (piece.notes < request_.min_notes) {
      skip({piece.file, fmt::format("{} notes, fewer than {}", piece.notes, request_.min_notes), SkipKind::kShort});
      return;
    }
    const auto [first, is_new] = files_by_content_.emplace(piece.content, piece.file);
    if (!is_new) {
      skip({piece.file, fmt::format("the same as {}", first->second), SkipKind::kDuplicate});
      return;
    }
    const Split split = split_of(piece.id, request_.validation, request_.test);
    ++pieces_[static_cast<std::size_t>(split)];
    SplitWriter& writer = writers_[static_cast<std::size_t>(split)];
    writer.add(piece, draft.tokens);
    if (split == Split::kTrain && request_.transpose && fits(piece, request_.transpose_where)) {
      ++fitting_;
      add_copies(draft, writer);
    }
  }

  void add_copies(const Draft& draft, SplitWriter& writer) {
    const Vocabulary& vocabulary = tokenizer_->vocabulary();
    const auto permitted = permitted_semitones({draft.piece.pitch_low, draft.piece.pitch_high}, vocabulary);
    const int low = std::max(request_.transpose->first, permitted.first);
    const int high = std::min(request_.transpose->second, permitted.second);
    for (int semitones = low; semitones <= high; ++semitones) {
      if (semitones == 0) continue;
      Piece copy = draft.piece;
      copy.transposed = semitones;
      copy.pitch_low += semitones;
      copy.pitch_high += semitones;
      writer.add(std::move(copy), transposed(draft.tokens, semitones, vocabulary));
    }
  }

  void stop_if_asked() const {
    if (watch_.stop && watch_.stop()) throw Interrupted("interrupted; nothing was written");
  }

  const PackRequest& request_;
  const PackWatch& watch_;
  std::unique_ptr<Tokenizer> tokenizer_;
  Labels labels_;
  std::vector<SplitWriter> writers_;
  std::unordered_map<std::string, std::string> files_by_content_;
  std::set<std::string> named_;
  std::array<std::int64_t, kSplits.size()> pieces_{};
  std::int64_t fitting_ = 0;
  Manifest manifest_;
};

std::string nothing_read(const Sources& sources, const Manifest& manifest) {
  if (sources.files.empty()) return "there is no .mid, .midi or .abc file below the inputs";
  std::string text = fmt::format("none of {} files gave a piece; the first:", sources.files.size());
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(kShown, manifest.skipped.size()); ++i) {
    text += fmt::format("\n  {}: {}", manifest.skipped[i].file, manifest.skipped[i].reason);
  }
  return text;
}

}  // namespace

Split split_of(const std::string& id, double validation, double test) {
  // 52 bits, which a double holds exactly. Hashed once more, so that ids that some people chose are spread as well.
  const double place = static_cast<double>(std::stoull(files::hash(id).substr(0, 13), nullptr, 16)) / 0x1p52;
  if (place < test) return Split::kTest;
  if (place < test + validation) return Split::kValidation;
  return Split::kTrain;
}

PackReport build_pack(const PackRequest& request, const PackWatch& watch) {
  check(request);
  const bool replace = may_replace(request.output, request.overwrite, request.inputs);
  const Sources sources = find_sources(request.inputs);
  PackReport report;
  files::write_folder_atomically(request.output, replace, [&](const fs::path& folder) {
    PackBuilder builder(request, watch, folder);
    for (const Skipped& skipped : sources.skipped) builder.skip(skipped);
    builder.take(sources.files);
    report.manifest = builder.finish();
    report.manifest.files = static_cast<std::int64_t>(sources.files.size());
    report.warnings = builder.warnings();
    const auto is_empty = [](const ManifestSplit& split) { return split.pieces.empty(); };
    if (std::ranges::all_of(report.manifest.splits, is_empty)) throw Error(nothing_read(sources, report.manifest));
    files::write_atomically(folder / kManifestName, to_text(report.manifest));
  });
  return report;
}

}  // namespace etude::data
