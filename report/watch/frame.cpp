#include "report/watch/frame.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "framework/log/format.h"
#include "framework/log/text.h"
#include "report/watch/plot.h"

namespace etude::report::watch {
namespace {

constexpr int kWidestBar = 40;
constexpr int kLeastPlot = 6;       ///< rows, with its labels
constexpr int kPlotBesideText = 9;  ///< rows it keeps where sentences want room too
constexpr int kRowsForKeys = 9;     ///< a lower window has no row for them

std::string loss_in_words(double loss) { return std::isfinite(loss) ? fmt::format("{:.4f}", loss) : "not a number"; }

std::string step_in_words(double step) { return log::with_thousands(static_cast<std::int64_t>(step)); }

/// "12.3k", "4.56M": short enough for an axis.
std::string compact(double value) {
  constexpr std::array kUnits{"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  for (; std::abs(value) >= 9999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.4g}{}", value, kUnits[unit]);
}

Style style_of(State state) {
  switch (state) {
    case State::kTraining:
    case State::kEvaluating:
    case State::kFinished:
      return Style::kGood;
    case State::kWaiting:
    case State::kStarting:
    case State::kStopped:
      return Style::kWarning;
    case State::kDead:
    case State::kGone:
      return Style::kBad;
  }
  return Style::kPlain;
}

/// Share of the steps that are done; negative while unknown.
double share_done(const History& history) {
  if (history.steps <= 0) return -1;
  return std::clamp(static_cast<double>(history.step) / static_cast<double>(history.steps), 0.0, 1.0);
}

/// What stands beside the bar: "1,200/10,000  12m03s left".
std::string progress_in_words(const RunView& run) {
  const History& history = run.course().history();
  std::string words = step_in_words(static_cast<double>(history.step));
  if (history.steps > 0) words += "/" + step_in_words(static_cast<double>(history.steps));
  if (const double left = run.seconds_left(); std::isfinite(left)) {
    words += fmt::format("  {} left", log::duration(left));
  }
  const std::vector<double>& seconds = history.train.seconds;
  if (!seconds.empty() && std::isfinite(seconds.back())) {
    words += fmt::format("  trained {}", log::duration(seconds.back()));
  }
  return words;
}

void draw_bar(Canvas& canvas, int row, const RunView& run, bool unicode) {
  const double share = share_done(run.course().history());
  const std::string words = progress_in_words(run);
  int column = 0;
  if (share >= 0) {
    // Rounded down: 100 % is said only when all is done.
    column =
        canvas.put(row, 0, log::printable(fmt::format("{:3}% ", static_cast<int>(share * 100)), false), Style::kBold);
    const int room = std::min(canvas.columns() - column - static_cast<int>(words.size()) - 2, kWidestBar);
    if (room >= 8) {
      const int full = static_cast<int>(std::floor(share * room));
      for (int i = 0; i < room; ++i) {
        canvas.put(row, column + i, unicode ? (i < full ? U'━' : U'─') : (i < full ? U'#' : U'-'),
                   i < full ? Style::kGood : Style::kDim);
      }
      column += room + 1;
    }
  }
  canvas.put(row, column, log::printable((share >= 0 ? "" : "step ") + words, false));
}

/// Figures of the last lines, the most important first.
std::vector<std::string> figures_of(const RunView& run) {
  const History& history = run.course().history();
  const Figures& latest = run.course().latest();
  std::vector<std::string> fields;
  if (history.train.size() > 0) fields.push_back("loss " + loss_in_words(latest.loss));
  if (const Series& evaluation = history.evaluation; evaluation.size() > 0) {
    fields.push_back(fmt::format("evaluation {} at {}", loss_in_words(evaluation.loss.back()),
                                 step_in_words(evaluation.step.back())));
    if (run.standing().loss && run.standing().evaluated) {
      fields.push_back(
          fmt::format("best {} at {}", loss_in_words(run.standing().best), step_in_words(run.standing().best_step)));
    }
  }
  if (history.train.size() == 0) return fields;
  if (std::isfinite(latest.lr)) fields.push_back(fmt::format("lr {:.2e}", latest.lr));
  if (latest.tokens_per_second > 0) {
    fields.push_back(step_in_words(latest.tokens_per_second) + " tokens/s");
  }
  if (std::isfinite(latest.mfu)) fields.push_back(fmt::format("mfu {:.1f} %", 100 * latest.mfu));
  if (std::isfinite(latest.data_wait)) fields.push_back(fmt::format("waits for data {:.1f} %", 100 * latest.data_wait));
  if (std::isfinite(latest.rank_max)) {
    if (std::isfinite(latest.communication_wait)) {
      fields.push_back(fmt::format("for other ranks {:.1f} %", 100 * latest.communication_wait));
    }
    fields.push_back(fmt::format("ranks compute {:.3g} to {:.3g} s a step (median {:.3g}; slowest is rank {:.0f})",
                                 latest.rank_min, latest.rank_max, latest.rank_median, latest.slowest_rank));
  }
  return fields;
}

/// Fields side by side, as many lines as that takes.
std::vector<std::u32string> flowed(const std::vector<std::string>& fields, int columns) {
  std::vector<std::u32string> lines;
  for (const std::string& field : fields) {
    const std::u32string text = log::printable(field, false);
    if (lines.empty() || log::columns_of(lines.back()) + 3 + log::columns_of(text) > columns) {
      lines.push_back(text);
    } else {
      lines.back() += U"   " + text;
    }
  }
  return lines;
}

const std::vector<double>& x_of(const Series& series, Axis axis) {
  return axis == Axis::kSteps ? series.step : axis == Axis::kTokens ? series.tokens : series.seconds;
}

std::string x_label(double value, Axis axis) {
  if (axis == Axis::kTime) return log::duration(value);
  return fmt::format("{} {}", compact(value), axis == Axis::kSteps ? "steps" : "tokens");
}

void draw_curves(Canvas& canvas, const Box& box, const RunView& run, const Look& look) {
  const History& history = run.course().history();
  Curve training = condensed(x_of(history.train, look.axis), history.train.loss, 2 * box.columns);
  Curve evaluation{x_of(history.evaluation, look.axis), history.evaluation.loss, true};
  if (training.x.empty() && evaluation.x.empty()) {
    canvas.put(box.row + box.rows / 2, box.column + 2, U"no loss yet", Style::kDim);
    return;
  }
  plot(canvas, box, {std::move(training), std::move(evaluation)},
       {.unicode = look.unicode, .logarithmic = look.logarithmic, .x_label = [axis = look.axis](double value) {
          return x_label(value, axis);
        }});
  // In the upper right corner, where curves that fall are not.
  const std::u32string legend = look.unicode ? U"⠤⠤ training loss  o evaluation" : U"'. training loss  o evaluation";
  if (box.columns >= 50) canvas.put(box.row, box.column + box.columns - log::columns_of(legend), legend, Style::kDim);
}

struct Line {
  std::u32string text;
  Style style = Style::kPlain;
};

void add_wrapped(std::vector<Line>& lines, const std::string& text, Style style, const Look& look, int columns) {
  for (std::u32string& line : log::wrapped(log::printable(text, look.unicode), columns))
    lines.push_back({std::move(line), style});
}

/// The warning, then the plain word.
std::vector<Line> sentences_of(const RunView& run, const Look& look, int columns) {
  std::vector<Line> lines;
  if (const std::string& warning = run.standing().warning; !warning.empty()) {
    add_wrapped(lines, "Warning: " + warning, Style::kWarning, look, columns);
  }
  for (const std::string& sentence : run.standing().sentences)
    add_wrapped(lines, sentence, Style::kPlain, look, columns);
  return lines;
}

// Where date, time, level and message stand in a line of log.txt: docs/formats.md.
constexpr std::size_t kTime = 11, kMilliseconds = 19, kLevel = 31, kMessage = 40;

Style style_of_log(const std::string& line) {
  if (line.compare(std::min(kLevel, line.size()), 7, "warning") == 0) return Style::kWarning;
  return line.compare(std::min(kLevel, line.size()), 5, "error") == 0 ? Style::kBad : Style::kDim;
}

/// A line of log.txt with as little before the message as tells when it was, and how grave.
std::string shortened(const std::string& line) {
  if (line.size() <= kMessage || line[kTime - 1] != ' ' || line[kTime + 2] != ':') return line;
  const bool plain = line.compare(kLevel, 4, "info") == 0;
  return line.substr(kTime, kMilliseconds - kTime) + " " + line.substr(plain ? kMessage : kLevel);
}

int put_lines(Canvas& canvas, int row, const std::vector<Line>& lines, int most) {
  for (int i = 0; i < std::min(most, static_cast<int>(lines.size())); ++i) {
    canvas.put(row++, 0, lines[static_cast<std::size_t>(i)].text, lines[static_cast<std::size_t>(i)].style);
  }
  return row;
}

void draw_head(Canvas& canvas, int row, const RunView& run, const Look& look) {
  std::string state = in_words(run.state());
  if (!run.words().empty()) state += ": " + run.words();
  const std::u32string name = log::printable(run.name(), look.unicode), words = log::printable(state, look.unicode);
  // Of a name that leaves no room, the beginning says enough.
  const int room = std::max(canvas.columns() - log::columns_of(words) - 2, canvas.columns() / 2);
  const int end = canvas.put(row, 0, name, Style::kBold, room);
  const int column = std::max(end + 1, canvas.columns() - log::columns_of(words));
  canvas.put(row, column, words, style_of(run.state()));
}

/// From `row` down to before `end`: curves, sentences, and the log's last lines.
void draw_details(Canvas& canvas, int row, int end, const RunView& run, const Look& look, bool with_log) {
  const int columns = canvas.columns(), rows = end - row;
  const std::vector<Line> sentences = sentences_of(run, look, columns);
  const int wanted = static_cast<int>(sentences.size());
  const int said =
      rows < kLeastPlot ? std::min(rows, wanted) : std::clamp(wanted, 0, std::max(rows - kPlotBesideText, 0));
  std::vector<Line> log;
  const int spare = std::clamp(rows - said - kPlotBesideText - 2, 0, 4);
  if (with_log && spare > 0) {
    const std::size_t count = std::min(run.log().size(), static_cast<std::size_t>(spare));
    for (std::size_t i = run.log().size() - count; i < run.log().size(); ++i) {
      log.push_back({log::printable(shortened(run.log()[i]), look.unicode), style_of_log(run.log()[i])});
    }
  }
  const int plotted = rows - said - static_cast<int>(log.size());
  if (plotted >= kLeastPlot) {
    draw_curves(canvas, {row, 0, plotted, columns}, run, look);
    row += plotted;
  }
  row = put_lines(canvas, row, sentences, said);
  put_lines(canvas, row, log, end - row);
}

void draw_run(Canvas& canvas, int end, const RunView& run, const Look& look) {
  draw_head(canvas, 0, run, look);
  draw_bar(canvas, 1, run, look.unicode);
  int row = 2;
  for (const std::u32string& line : flowed(figures_of(run), canvas.columns())) {
    if (row < end) canvas.put(row++, 0, line);
  }
  draw_details(canvas, row, end, run, look, true);
}

struct Column {
  const char* title;
  int width;
  int least;  ///< columns that the window must have for this one to be shown
};
constexpr int kSparkline = 10;
constexpr std::array kColumns{Column{"state", 10, 30},     Column{"done", 5, 20},      Column{"left", 7, 60},
                              Column{"loss", 8, 40},       Column{"evaluated", 9, 50}, Column{"best", 8, 96},
                              Column{"tokens/s", 10, 110}, Column{"", kSparkline, 80}};

std::string brief(double loss) { return std::isfinite(loss) ? fmt::format("{:.4f}", loss) : "nan"; }

std::array<std::string, kColumns.size()> cells_of(const RunView& run) {
  const History& history = run.course().history();
  std::array<std::string, kColumns.size()> cells;
  cells[0] = in_words(run.state());
  if (const double share = share_done(history); share >= 0)
    cells[1] = fmt::format("{}%", static_cast<int>(share * 100));
  if (const double left = run.seconds_left(); std::isfinite(left)) cells[2] = log::duration(left);
  if (history.train.size() > 0) cells[3] = brief(run.course().latest().loss);
  if (history.evaluation.size() > 0) {
    cells[4] = brief(history.evaluation.loss.back());
    if (run.standing().loss) cells[5] = brief(run.standing().best);
  }
  if (const double speed = run.course().latest().tokens_per_second; speed > 0) cells[6] = step_in_words(speed);
  return cells;
}

void draw_table_row(Canvas& canvas, int row, int names, const RunView& run, bool chosen, const Look& look) {
  const Style base = chosen ? Style::kChosen : Style::kPlain;
  if (chosen) canvas.put(row, 0, std::u32string(static_cast<std::size_t>(canvas.columns()), U' '), base);
  canvas.put(row, 0, look.unicode ? (chosen ? U"▸" : U" ") : (chosen ? U">" : U" "), base);
  canvas.put(row, 2, log::printable(run.name(), look.unicode), base, names);
  int column = 2 + names;
  const auto cells = cells_of(run);
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (canvas.columns() < kColumns[i].least) continue;
    const int width = kColumns[i].width;
    if (i == 0)
      canvas.put(row, column + 1, log::printable(cells[i], false), chosen ? base : style_of(run.state()), width);
    if (i > 0 && i + 1 < kColumns.size()) {
      canvas.put(row, column + 1 + width - static_cast<int>(cells[i].size()), log::printable(cells[i], false), base,
                 width);
    }
    if (i + 1 == kColumns.size()) {
      const History& history = run.course().history();
      canvas.put(row, column + 1, sparkline(history.train.step, history.train.loss, width, look.unicode),
                 chosen ? base : Style::kCurve, width);
    }
    column += 1 + width;
  }
}

/// Returns the row behind the table.
int draw_table(Canvas& canvas, int end, const std::vector<RunView>& runs, const Look& look) {
  int names = canvas.columns() - 2;
  for (const Column& each : kColumns) names -= canvas.columns() < each.least ? 0 : 1 + each.width;
  int row = 0;
  const int count = static_cast<int>(runs.size());
  // The table may take the upper half; less where that is enough.
  const int shown = std::min(count, end < kLeastPlot + 2 ? end - 1 : std::max(end / 2 - 1, 1));
  canvas.put(row, 2, log::printable(fmt::format("{} runs", count), false), Style::kDim, names);
  int column = 2 + names;
  for (const Column& each : kColumns) {
    if (canvas.columns() < each.least) continue;
    const std::u32string title = log::printable(each.title, false);
    const bool left = &each == &kColumns.front();
    canvas.put(row, column + 1 + (left ? 0 : each.width - log::columns_of(title)), title, Style::kDim, each.width);
    column += 1 + each.width;
  }
  ++row;
  // Scrolled so that the chosen one is among those shown.
  const int chosen = static_cast<int>(look.chosen);
  const int first = std::clamp(chosen - shown / 2, 0, count - shown);
  for (int i = first; i < first + shown; ++i) {
    draw_table_row(canvas, row++, names, runs[static_cast<std::size_t>(i)], i == chosen, look);
  }
  return row;
}

void draw_keys(Canvas& canvas, int row, bool several, const Look& look) {
  const char* axis = look.axis == Axis::kSteps ? "steps" : look.axis == Axis::kTokens ? "tokens" : "time";
  std::string keys = fmt::format("q quit   x axis: {}   l {} scale", axis, look.logarithmic ? "linear" : "logarithmic");
  if (several)
    keys =
        fmt::format("{}   {} choose   Enter {}", keys, look.unicode ? "↑↓" : "j k", look.alone ? "all runs" : "alone");
  canvas.put(row, 0, log::printable(keys, look.unicode), Style::kDim);
}

}  // namespace

void draw(Canvas& canvas, const std::vector<RunView>& runs, const Look& look) {
  if (runs.empty()) {
    canvas.put(0, 0, U"no run here yet", Style::kWarning);
    return;
  }
  const bool keys = look.keys && canvas.rows() >= kRowsForKeys;
  const int end = canvas.rows() - (keys ? 1 : 0);
  const RunView& chosen = runs[std::min(look.chosen, runs.size() - 1)];
  if (keys) draw_keys(canvas, end, runs.size() > 1, look);
  if (runs.size() == 1 || look.alone) return draw_run(canvas, end, chosen, look);
  int row = draw_table(canvas, end, runs, look);
  if (end - row < 3) return;
  draw_head(canvas, ++row, chosen, look);
  draw_details(canvas, row + 1, end, chosen, look, false);
}

std::string in_a_line(const RunView& run) {
  const History& history = run.course().history();
  std::vector<std::string> fields{run.name(), in_words(run.state())};
  if (history.step > 0) {
    fields.push_back(history.steps > 0 ? fmt::format("{}/{}", history.step, history.steps)
                                       : fmt::format("step {}", history.step));
  }
  for (std::string& field : figures_of(run)) fields.push_back(std::move(field));
  if (const double left = run.seconds_left(); std::isfinite(left)) fields.push_back(log::duration(left) + " left");
  if (!run.words().empty()) fields.push_back(run.words());
  std::string line;
  for (const std::string& field : fields) line += (line.empty() ? "" : "  ") + field;
  return line;
}

}  // namespace etude::report::watch
