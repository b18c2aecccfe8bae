#include "report/watch/watch.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "framework/log/terminal.h"
#include "framework/log/text.h"
#include "launch/status.h"
#include "report/watch/run_list.h"
#include "report/watch/screen.h"

namespace etude::report::watch {
namespace {

using Clock = std::chrono::steady_clock;

/// Seconds between two lines of one run on what is no terminal, unless an evaluation came or its state changed.
constexpr double kBetweenLines = 10;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// https://no-color.org
bool wants_colours() { return !is_set("NO_COLOR"); }

bool is_dumb() {
  const char* kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind) == "dumb";
}

int size_of_environment(const char* variable, int otherwise) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return otherwise;
  int size = 0;
  const std::string_view text(value);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), size);
  return parsed.ec == std::errc() && size > 0 && size < 1000 ? size : otherwise;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int show_once(RunList& list, Look look) {
  const log::Terminal terminal(stdout);
  const bool shows = terminal.shows();
  Canvas canvas(shows ? terminal.columns() : size_of_environment("COLUMNS", 80),
                shows ? terminal.rows() - 1 : size_of_environment("LINES", 24));
  look.keys = false;
  list.poll(launch::now());
  draw(canvas, list.runs(), look);
  print(as_text(canvas, shows && !is_dumb(), wants_colours()));
  return 0;
}

/// What of a run was printed last.
struct Told {
  State state = State::kGone;
  std::size_t evaluations = 0;
  std::int64_t step = -1;
  double at = 0;
  std::string warning;
};

/// The lines that a run is worth now; none where it has nothing new.
std::vector<std::string> news_of(const RunView& run, Told& told, double time) {
  const History& history = run.course().history();
  std::vector<std::string> lines;
  const bool first = told.step < 0;
  const bool turned = first || run.state() != told.state;
  const bool evaluated = history.evaluation.size() != told.evaluations;
  if (turned || evaluated || (history.step != told.step && time - told.at >= kBetweenLines)) {
    lines.push_back(in_a_line(run));
    if (turned && is_over(run.state())) {
      for (const std::string& sentence : run.standing().sentences) lines.push_back(run.name() + "  " + sentence);
    }
    told = {run.state(), history.evaluation.size(), history.step, time, told.warning};
  }
  const std::string& warning = run.standing().warning;
  if (!warning.empty() && told.warning.empty()) lines.push_back(run.name() + "  Warning: " + warning);
  told.warning = warning;
  return lines;
}

/// `seconds`: between two looks.
int print_lines(RunList& list, double seconds, bool unicode) {
  std::map<std::filesystem::path, Told> told;
  while (true) {
    const double time = launch::now();
    list.poll(time);
    std::string lines;
    for (const RunView& run : list.runs()) {
      for (const std::string& line : news_of(run, told[run.folder()], time)) {
        lines += log::to_utf8(log::printable(line, unicode)) + "\n";
      }
    }
    print(lines);
    if (list.all_over() || std::ferror(stdout) != 0) return 0;
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }
}

/// Returns whether to go on.
bool obey(Key key, std::size_t runs, Look& look) {
  switch (key) {
    case Key::kQuit:
      return false;
    case Key::kUp:
      look.chosen -= look.chosen > 0 ? 1 : 0;
      return true;
    case Key::kDown:
      look.chosen += look.chosen + 1 < runs ? 1 : 0;
      return true;
    case Key::kEnter:
      look.alone = !look.alone;
      return true;
    case Key::kBack:
      look.alone = false;
      return true;
    case Key::kAxis:
      look.axis = look.axis == Axis::kSteps ? Axis::kTokens : look.axis == Axis::kTokens ? Axis::kTime : Axis::kSteps;
      return true;
    case Key::kLogarithmic:
      look.logarithmic = !look.logarithmic;
      return true;
  }
  return true;
}

int show_live(RunList& list, Look look, double interval) {
  Screen screen(wants_colours());
  // Many long runs take a second or two to read.
  Canvas first(screen.columns(), screen.rows());
  first.put(0, 0, U"reading", Style::kDim);
  screen.show(first);
  auto due = Clock::now();
  while (true) {
    if (Clock::now() >= due) {
      list.poll(launch::now());
      due = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(interval));
    }
    const auto& runs = list.runs();
    look.chosen = std::min(look.chosen, runs.empty() ? 0 : runs.size() - 1);
    Canvas canvas(screen.columns(), screen.rows());
    draw(canvas, runs, look);
    screen.show(canvas);

    const double left = std::chrono::duration<double>(due - Clock::now()).count();
    const Event event = screen.wait(std::max(left, 0.0));
    if (event.closed) return SIGHUP;
    if (event.signal != 0) return event.signal == SIGINT ? 0 : event.signal;
    if (event.key && !obey(*event.key, runs.size(), look)) return 0;
  }
}

}  // namespace

int watch(const Wishes& wishes) {
  RunList list(wishes.paths);
  const Look look{.axis = wishes.axis, .logarithmic = wishes.logarithmic, .unicode = log::locale_has_unicode()};
  if (wishes.once) return show_once(list, look);
  if (!log::Terminal(stdout).shows() || is_dumb()) return print_lines(list, wishes.interval, look.unicode);
  return show_live(list, look, wishes.interval);
}

}  // namespace etude::report::watch
