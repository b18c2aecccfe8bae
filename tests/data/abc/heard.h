#pragma once

#include <stdexcept>
#include <string>

#include <fmt/core.h>

#include "data/abc/abc.h"

namespace etude::data::abc {

/// The only tune of a book. Throws with the problem when it could not be read.
inline Tune only_tune(const std::string& text) {
  Book book = parse(text);
  if (!book.problems.empty()) {
    const Problem& problem = book.problems.front();
    throw std::runtime_error(fmt::format("{}:{}: {}", problem.line, problem.column, problem.what));
  }
  if (book.tunes.size() != 1) throw std::runtime_error("not one tune");
  return std::move(book.tunes.front());
}

/// "60@0+1 62@1+0.5": key, start and duration in quarters of each note of a track.
inline std::string heard(const Score& score, std::size_t track = 0) {
  std::string out;
  const auto quarters = [&](std::int64_t ticks) { return static_cast<double>(ticks) / score.ticks_per_quarter; };
  for (const Note& note : score.tracks.at(track).notes) {
    if (!out.empty()) out += ' ';
    out += fmt::format("{}@{:.4g}+{:.4g}", note.pitch, quarters(note.start), quarters(note.duration));
  }
  return out;
}

/// What a line of music in 4/4, unit 1/4 and C major sounds like.
inline std::string heard(const std::string& music, const std::string& head = "M:4/4\nL:1/4\nK:C\n") {
  return heard(only_tune("X:1\n" + head + music + "\n").score);
}

/// The keys alone, in order.
inline std::string keys_of(const std::string& music, const std::string& head = "M:4/4\nL:1/4\nK:C\n") {
  std::string out;
  for (const Note& note : only_tune("X:1\n" + head + music + "\n").score.tracks.at(0).notes) {
    out += (out.empty() ? "" : " ") + std::to_string(note.pitch);
  }
  return out;
}

}  // namespace etude::data::abc
