#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "report/metrics_reader.h"
#include "report/watch/course.h"
#include "tests/support/damage.h"

namespace {

using namespace etude::report;
using etude::testing::require;

constexpr std::size_t kAllPoints = 1 << 20;

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// What a line says, by a parser of all of JSON.
double number(const Json& row, const char* key) { return Run::number(row, {key}).value_or(std::nan("")); }

bool in_range(double step) { return step >= 0 && step <= 9e15; }

/// A report reads lines with a parser of its own. Where the line is JSON, it has to find there what JSON has.
void compare_line(const std::string& line) {
  const Json row = Json::parse(line, nullptr, false);
  // It knows no escapes in names; the other takes a zero byte for the end.
  if (row.is_discarded() || line.find('\\') != line.npos || line.find('\0') != line.npos) return;
  const History history = read_history(line + "\n", kAllPoints);
  const bool taken = row.is_object() && in_range(number(row, "step"));
  require(history.broken == (taken ? 0 : 1), "a line of JSON is taken if it is an object with a step");
  if (!taken || line.find("e-3") != line.npos) return;  // numbers next to 0 are 0 to the one, none to the other
  require(history.train.size() + static_cast<std::size_t>(history.non_finite) == (row.contains("loss") ? 1 : 0),
          "a line with a loss is a step");
  if (history.train.size() == 1) {
    require(same(history.train.step[0], number(row, "step")), "step");
    require(same(history.train.loss[0], number(row, "loss")), "loss");
    require(same(history.train.tokens[0], number(row, "tokens")), "tokens");
    require(same(history.train.seconds[0], number(row, "seconds")), "seconds");
  }
  if (history.evaluation.size() == 1) {
    require(same(history.evaluation.loss[0], number(row, "eval_loss")), "eval_loss");
    require(same(history.evaluation.loss_per_note[0], number(row, "eval_loss_per_note")), "eval_loss_per_note");
  }
}

void require_even(const Series& series, bool notes) {
  const std::size_t size = series.size();
  require(series.tokens.size() == size && series.seconds.size() == size && series.loss.size() == size &&
              series.loss_per_note.size() == (notes ? size : 0),
          "lists of a curve have one length");
}

}  // namespace

/// Whatever stands in a metrics.jsonl: the report and the watch read it, each its way, and what they take stands there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const History history = read_history(text, 8);
  require_even(history.train, false);
  require_even(history.evaluation, true);
  require(history.train.size() <= 8, "a curve is thinned");

  watch::Course course;
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < text.size(); ++lines) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    compare_line(line);
    course.add(line);
    begin = end + 1;
  }
  require_even(course.history().train, false);
  require_even(course.history().evaluation, true);
  require(!(course.seconds_left() < 0) && course.seconds_between_lines() >= 0, "time does not go back");
  course.take_back(lines / 2);
  require(course.lines() == lines - lines / 2, "as many lines remain as were not taken back");
  course.take_back(lines);
  require(course.history().train.size() == 0 && course.history().evaluation.size() == 0 &&
              course.history().non_finite == 0 && course.history().step == 0,
          "nothing remains of a file that is gone");
  return 0;
}
