// check_abc FILE...: what a reader of ABC makes of the tunes, and what seems wrong with them.
// A bar should fill its metre. Shorter bars are right at the beginning and where a repeat, a double bar or an ending
// cuts a bar in two. All voices should have bars of the same lengths. Exit code 1 when anything is reported.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "data/abc/book_lines.h"
#include "data/abc/tune_parser.h"
#include "data/abc/unreadable.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace {

using namespace etude::data::abc;

std::string quarters(const Fraction& whole_notes) {
  const Fraction value = whole_notes * 4;
  if (value.denominator() == 1) return std::to_string(value.numerator());
  return fmt::format("{}/{}", value.numerator(), value.denominator());
}

/// Bars with music; the parts of a bar that an ending cuts in two are joined.
std::vector<Bar> whole_bars(const std::vector<Bar>& bars) {
  std::vector<Bar> out;
  bool split = false;
  for (const Bar& bar : bars) {
    if (split) {
      out.back().length = out.back().length + bar.length;
      out.back().ends_section = bar.ends_section;
      split = bar.split;
      continue;
    }
    if (bar.length == Fraction(0)) {
      if (!out.empty() && bar.ends_section) out.back().ends_section = true;
      continue;
    }
    out.push_back(bar);
    split = bar.split;
  }
  return out;
}

class Checker {
 public:
  explicit Checker(std::string file) : file_(std::move(file)) {}

  void report(int line, int column, const std::string& what) {
    fmt::print("{}:{}:{}: {}\n", file_, line, column, what);
    ++reports_;
  }

  void check(const WrittenTune& tune) {
    std::vector<std::vector<Bar>> voices;
    for (const Voice& voice : tune.voices) voices.push_back(whole_bars(voice.bars));
    fmt::print("X:{} {}: {} voice(s), {} bars\n", tune.number, tune.title, voices.size(), voices.front().size());
    for (std::size_t v = 0; v < voices.size(); ++v) {
      std::string lengths;
      for (const Bar& bar : voices[v]) lengths += ' ' + quarters(bar.length);
      fmt::print("  V:{}{}\n", tune.voices[v].id, lengths);
      check_metre(tune.voices[v].id, voices[v]);
      compare(tune, voices, v);
    }
  }

  int reports() const { return reports_; }

 private:
  void check_metre(const std::string& id, const std::vector<Bar>& bars) {
    for (std::size_t i = 0; i < bars.size(); ++i) {
      const Bar& bar = bars[i];
      if (bar.metre.free) continue;
      const Fraction expected = bar.metre.length() * bar.measures;
      const bool at_border = i == 0 || i + 1 == bars.size() || bar.ends_section || bar.begins_repeat ||
                             bar.passes != 0 || bars[i - 1].ends_section;
      if (bar.length == expected || (at_border && bar.length < expected)) continue;
      report(bar.line, bar.column,
             fmt::format("V:{} bar {} lasts {} quarters, {}/{} wants {}", id, i + 1, quarters(bar.length),
                         bar.metre.numerator, bar.metre.denominator, quarters(expected)));
    }
  }

  void compare(const WrittenTune& tune, const std::vector<std::vector<Bar>>& voices, std::size_t v) {
    const std::vector<Bar>&first = voices.front(), &other = voices[v];
    for (std::size_t i = 0; i < std::min(first.size(), other.size()); ++i) {
      if (first[i].length == other[i].length) continue;
      report(other[i].line, other[i].column,
             fmt::format("V:{} bar {} lasts {} quarters, but {} in V:{}", tune.voices[v].id, i + 1,
                         quarters(other[i].length), quarters(first[i].length), tune.voices.front().id));
      return;
    }
    if (first.size() != other.size()) {
      report(tune.line, 1,
             fmt::format("V:{} has {} bars, but V:{} has {}", tune.voices[v].id, other.size(), tune.voices.front().id,
                         first.size()));
    }
  }

  std::string file_;
  int reports_ = 0;
};

int check_file(const std::string& file) {
  const std::string text = etude::files::read(file);
  const BookLines lines = split_book(text);
  Checker checker(file);
  const auto locate = [&checker](auto work) {
    try {
      work();
    } catch (const Unreadable& error) {
      checker.report(error.line(), error.column(), error.what());
    }
  };
  Defaults defaults;
  locate([&] { defaults = parse_file_head(lines.head); });
  for (const Lines& tune : lines.tunes) locate([&] { checker.check(parse_tune(tune, defaults)); });
  if (lines.tunes.empty()) checker.report(1, 1, "no tune; a tune begins with a line X:1");
  return checker.reports();
}

}  // namespace

int main(int argc, char** argv) {
  int reports = 0;
  try {
    for (int i = 1; i < argc; ++i) reports += check_file(argv[i]);
  } catch (const etude::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  if (argc < 2) fmt::print(stderr, "usage: check_abc FILE...\n");
  return reports > 0 || argc < 2 ? 1 : 0;
}
