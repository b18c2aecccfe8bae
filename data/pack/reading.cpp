#include "data/pack/reading.h"

#include <cmath>

#include <fmt/format.h>

#include "data/abc/abc.h"
#include "data/augment/transpose.h"
#include "data/midi/midi.h"
#include "data/pack/music_id.h"
#include "data/pack/text.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data {
namespace {

/// A damaged delta time may put a note days after the last; its bars would fill the memory.
void check_length(const Score& score) {
  constexpr std::int64_t kLongest = 100'000;
  const std::int64_t quarters = end_of(score) / score.ticks_per_quarter;
  if (quarters > kLongest) {
    throw Error(fmt::format("it would last {} quarter notes (damaged times?); up to {} are taken", quarters, kLongest));
  }
}

Draft make_draft(const Score& score, const std::string& name, const Tokenizer& tokenizer) {
  check_length(score);
  Draft draft;
  draft.tokens = tokenizer.encode(score);
  Piece& piece = draft.piece;
  piece.id = music_id(score);
  piece.file = name;
  piece.tokens = static_cast<std::int64_t>(draft.tokens.size());
  for (const TokenId token : draft.tokens) piece.notes += tokenizer.vocabulary().pitch(token) >= 0 ? 1 : 0;
  piece.seconds = std::round(seconds_at(score, end_of(score)) * 1000) / 1000;
  std::tie(piece.pitch_low, piece.pitch_high) = pitch_range_of(draft.tokens, tokenizer.vocabulary());
  return draft;
}

void add_labels(Piece& piece, const Labels& labels) {
  for (const auto& [column, value] : labels.of(piece.file)) {
    if (lower_case(column) == "composer") {
      if (!value.empty()) piece.composer = value;
    } else {
      piece.labels[column] = value;
    }
  }
}

void read_midi(const Source& source, const std::string& bytes, const Tokenizer& tokenizer, Reading& reading) {
  const Score score = midi::parse(std::as_bytes(std::span(bytes)), source.name);
  Draft draft = make_draft(score, source.name, tokenizer);
  draft.piece.content = files::hash(bytes);
  const std::string title = clean_text(score.title);
  draft.piece.title = title.empty() ? clean_text(source.path.stem().string()) : title;
  draft.piece.composer = source.folder;
  reading.drafts.push_back(std::move(draft));
}

void read_abc(const Source& source, const std::string& text, const Tokenizer& tokenizer, Reading& reading) {
  const abc::Book book = abc::parse(text);
  for (const abc::Problem& problem : book.problems) {
    reading.skipped.push_back(
        {source.name, clean_text(fmt::format("line {}, column {}: {}", problem.line, problem.column, problem.what)),
         SkipKind::kUnreadable});
  }
  if (book.tunes.empty() && book.problems.empty()) throw Error("it holds no tune (no X: line)");
  for (const abc::Tune& tune : book.tunes) {
    const std::string name = fmt::format("{}#{}", source.name, tune.number);
    try {
      Draft draft = make_draft(tune.score, name, tokenizer);
      draft.piece.content = files::hash(tune.text);
      draft.piece.title = clean_text(tune.title);
      draft.piece.composer = clean_text(tune.composer);
      reading.drafts.push_back(std::move(draft));
    } catch (const Error& error) {
      reading.skipped.push_back({name, clean_text(error.what()), SkipKind::kUnreadable});
    }
  }
}

}  // namespace

Reading read_source(const Source& source, const Tokenizer& tokenizer, const Labels& labels) {
  Reading reading;
  try {
    const std::string bytes = files::read(source.path);
    source.is_abc ? read_abc(source, bytes, tokenizer, reading) : read_midi(source, bytes, tokenizer, reading);
  } catch (const std::exception& error) {
    std::string reason = clean_text(error.what());
    const std::string place = source.name + ": ";  // stands beside the reason already
    if (reason.starts_with(place)) reason.erase(0, place.size());
    reading.skipped.push_back({source.name, reason, SkipKind::kUnreadable});
  }
  for (Draft& draft : reading.drafts) add_labels(draft.piece, labels);
  return reading;
}

}  // namespace etude::data
