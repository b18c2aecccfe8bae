#include "report/metrics_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace etude::report {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// The members of one line's object, without its nested ones. A parser of all of JSON would take ten times as long, and
/// a report may read gigabytes.
class Members {
 public:
  explicit Members(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  /// Whether the line is one object, whole; `take` is given each member's name and the text of its value.
  template <typename Take>
  bool read(const Take& take) {
    if (!step_over('{')) return false;
    if (step_over('}')) return rest_is_blank();
    do {
      skip_blanks();
      const char* name = at_ + 1;
      if (!skip_string()) return false;
      const std::string_view key(name, static_cast<std::size_t>(at_ - 1 - name));
      if (!step_over(':')) return false;
      skip_blanks();
      const char* value = at_;
      if (!skip_value()) return false;
      take(key, std::string_view(value, static_cast<std::size_t>(at_ - value)));
    } while (step_over(','));
    return step_over('}') && rest_is_blank();
  }

 private:
  void skip_blanks() {
    while (at_ < end_ && is_blank(*at_)) ++at_;
  }
  bool rest_is_blank() {
    skip_blanks();
    return at_ == end_;
  }
  bool step_over(char wanted) {
    skip_blanks();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  bool skip_string() {
    if (at_ == end_ || *at_ != '"') return false;
    for (++at_; at_ < end_; ++at_) {
      if (*at_ == '\\') {
        if (++at_ == end_) return false;
      } else if (*at_ == '"') {
        ++at_;
        return true;
      }
    }
    return false;
  }
  bool skip_value() {
    if (at_ == end_) return false;
    if (*at_ == '"') return skip_string();
    const char* start = at_;
    int depth = 0;
    while (at_ < end_) {
      if (*at_ == '"') {
        if (!skip_string()) return false;
        continue;
      }
      if (*at_ == '{' || *at_ == '[') ++depth;
      if (*at_ == '}' || *at_ == ']') {
        if (depth == 0) break;
        --depth;
      }
      if (*at_ == ',' && depth == 0) break;
      ++at_;
    }
    return depth == 0 && at_ > start && at_ < end_;
  }

  const char* at_;
  const char* end_;
};

/// What a double counts without gaps; damage alone makes more of it.
constexpr double kMostSteps = 9.0e15;

/// A member's value as a number, and unknown for null and whatever else JSON has. `damaged` where it begins as a number
/// and goes on as none: half of it says nothing.
double number(std::string_view text, bool& damaged) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.empty() || (text.front() != '-' && (text.front() < '0' || text.front() > '9'))) return kUnknown;
  double value = kUnknown;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  damaged = damaged || end != text.data() + text.size();
  return error == std::errc() && std::isfinite(value) ? value : kUnknown;
}

/// The members of a line that a report is made of.
struct Line {
  double step = kUnknown, steps = kUnknown, tokens = kUnknown, seconds = kUnknown, loss = kUnknown;
  double eval_loss = kUnknown, eval_loss_per_note = kUnknown;
  bool trained = false, evaluated = false;

  bool read(std::string_view text) {
    bool damaged = false;
    const bool whole = Members(text).read([&](std::string_view key, std::string_view value) {
      if (key == "step") step = number(value, damaged);
      if (key == "steps") steps = number(value, damaged);
      if (key == "tokens") tokens = number(value, damaged);
      if (key == "seconds") seconds = number(value, damaged);
      if (key == "loss") loss = number(value, damaged), trained = true;
      if (key == "eval_loss") eval_loss = number(value, damaged), evaluated = true;
      if (key == "eval_loss_per_note") eval_loss_per_note = number(value, damaged), evaluated = true;
    });
    return whole && !damaged;
  }
};

double mean_of_last(const std::vector<double>& losses, std::size_t share) {
  if (losses.empty()) return kUnknown;
  const std::size_t count = std::max<std::size_t>(1, losses.size() / share);
  double sum = 0;
  for (std::size_t i = losses.size() - count; i < losses.size(); ++i) sum += losses[i];
  return sum / static_cast<double>(count);
}

constexpr std::size_t kLastShare = 20;

class Collector {
 public:
  void add(const Line& line) {
    history_.step = std::max(history_.step, static_cast<std::int64_t>(line.step));
    if (line.steps > 0 && line.steps <= kMostSteps) history_.steps = static_cast<std::int64_t>(line.steps);
    if (line.trained) add_step(line);
    if (line.evaluated) add_evaluation(line);
  }

  void add_broken() { ++history_.broken; }

  History take(std::size_t most) {
    history_.final_train_loss = mean_of_last(history_.train.loss, kLastShare);
    history_.train = thinned(history_.train, most);
    history_.evaluation = thinned(history_.evaluation, most);
    return std::move(history_);
  }

 private:
  void add_step(const Line& line) {
    if (line.tokens >= 0) history_.tokens = line.tokens;
    if (line.seconds >= 0) history_.seconds = line.seconds;
    counted_ = line.step;
    if (std::isnan(line.loss)) {
      ++history_.non_finite;
      return;
    }
    Series& train = history_.train;
    train.step.push_back(line.step);
    train.tokens.push_back(line.tokens);
    train.seconds.push_back(line.seconds);
    train.loss.push_back(line.loss);
  }

  /// Lines of evaluations have no tokens and seconds: those of the logging step before are stretched up to here.
  void add_evaluation(const Line& line) {
    if (std::isnan(line.eval_loss) && std::isnan(line.eval_loss_per_note)) return;
    const double stretch = counted_ > 0 ? line.step / counted_ : kUnknown;
    Series& evaluation = history_.evaluation;
    evaluation.step.push_back(line.step);
    evaluation.tokens.push_back(history_.tokens * stretch);
    evaluation.seconds.push_back(history_.seconds * stretch);
    evaluation.loss.push_back(line.eval_loss);
    evaluation.loss_per_note.push_back(line.eval_loss_per_note);
  }

  History history_;
  double counted_ = 0;  ///< step of the last line with tokens
};

}  // namespace

History read_history(std::string_view text, std::size_t most) {
  Collector collector;
  while (!text.empty()) {
    const void* newline = std::memchr(text.data(), '\n', text.size());
    const std::size_t length =
        newline == nullptr ? text.size() : static_cast<std::size_t>(static_cast<const char*>(newline) - text.data());
    Line line;
    if (line.read(text.substr(0, length)) && line.step >= 0 && line.step <= kMostSteps) {
      collector.add(line);
    } else {
      collector.add_broken();
    }
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return collector.take(most);
}

Series thinned(const Series& whole, std::size_t most) {
  const std::size_t size = whole.size();
  if (size <= most || most < 4) return whole;
  std::vector<std::size_t> kept{0};
  const std::size_t stretches = (most - 2) / 2;
  for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
    const std::size_t begin = 1 + stretch * (size - 2) / stretches, end = 1 + (stretch + 1) * (size - 2) / stretches;
    const auto first = whole.loss.begin();
    const auto [low, high] =
        std::minmax_element(first + static_cast<std::ptrdiff_t>(begin), first + static_cast<std::ptrdiff_t>(end));
    const auto [earlier, later] = std::minmax({low - first, high - first});
    kept.push_back(static_cast<std::size_t>(earlier));
    if (later != earlier) kept.push_back(static_cast<std::size_t>(later));
  }
  kept.push_back(size - 1);
  const auto pick = [&](const std::vector<double>& from) {
    std::vector<double> to;
    if (from.empty()) return to;
    to.reserve(kept.size());
    for (const std::size_t at : kept) to.push_back(from[at]);
    return to;
  };
  return {pick(whole.step), pick(whole.tokens), pick(whole.seconds), pick(whole.loss), pick(whole.loss_per_note)};
}

}  // namespace etude::report
