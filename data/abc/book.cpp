#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "data/abc/abc.h"
#include "data/abc/book_lines.h"
#include "data/abc/expander.h"
#include "data/abc/tune_parser.h"
#include "data/abc/unreadable.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data::abc {
namespace {

std::string joined(const std::vector<std::string_view>& lines) {
  std::string text;
  for (const std::string_view line : lines) text.append(line) += '\n';
  return text;
}

/// What the first voice plays before its first bar line, when that is less than a bar.
std::int64_t upbeat_of(const WrittenTune& tune, int ticks_per_quarter) {
  if (tune.voices.empty()) return 0;
  for (const Bar& bar : tune.voices.front().bars) {
    if (bar.length == Fraction(0)) continue;
    const Metre& metre = bar.metre;
    const auto ticks = std::llround(static_cast<long double>(bar.length.numerator()) * 4 * ticks_per_quarter /
                                    static_cast<long double>(bar.length.denominator()));
    const std::int64_t whole = static_cast<std::int64_t>(metre.numerator) * 4 * ticks_per_quarter / metre.denominator;
    return !metre.free && ticks < whole ? ticks : 0;
  }
  return 0;
}

Tune make_tune(const Lines& lines, const Defaults& defaults) {
  WrittenTune written = parse_tune(lines, defaults);
  Tune tune;
  try {
    tune.score = sounding(written);
    tune.upbeat = upbeat_of(written, tune.score.ticks_per_quarter);
  } catch (const FractionOverflow& error) {
    throw Unreadable(written.line, 1, error.what());
  }
  tune.number = written.number;
  tune.line = written.line;
  tune.title = std::move(written.title);
  tune.composer = std::move(written.composer);
  tune.source = std::move(written.source);
  tune.text = joined(lines.lines);
  return tune;
}

}  // namespace

Book parse(std::string_view text) {
  Book book;
  const BookLines lines = split_book(text);
  Defaults defaults;
  const auto keep_problem = [&book](const Unreadable& error) {
    book.problems.push_back({error.line(), error.column(), error.what()});
  };
  try {
    defaults = parse_file_head(lines.head);
  } catch (const Unreadable& error) {
    keep_problem(error);
  }
  for (const Lines& tune : lines.tunes) {
    try {
      book.tunes.push_back(make_tune(tune, defaults));
    } catch (const Unreadable& error) {
      keep_problem(error);
    }
  }
  return book;
}

Book read(const std::filesystem::path& file) {
  Book book = parse(files::read(file));
  if (!book.tunes.empty()) return book;
  if (book.problems.empty())
    throw Error(fmt::format("{}: no tune in it; a tune begins with a line X:1", file.string()));
  const Problem& first = book.problems.front();
  throw Error(fmt::format("{}:{}:{}: {} (and no other tune of the file can be read)", file.string(), first.line,
                          first.column, first.what));
}

}  // namespace etude::data::abc
