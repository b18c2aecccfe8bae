#include "framework/log/console.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/core.h>

#include "framework/log/format.h"

namespace etude::log {
namespace {

constexpr double kSecondsBetweenDraws = 0.05;
constexpr int kWidestBar = 40;
constexpr int kNarrowestBar = 8;

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

/// Columns a UTF-8 text takes, each character counted as one.
int width(std::string_view text) { return static_cast<int>(std::ranges::count_if(text, starts_character)); }

std::string cut(std::string_view text, int columns) {
  std::size_t end = 0;
  for (int seen = 0; end < text.size(); ++end) {
    if (starts_character(text[end]) && ++seen > columns) break;
  }
  return std::string(text.substr(0, end));
}

std::string bar(double share, int cells, bool unicode) {
  const int full = static_cast<int>(std::floor(share * cells));
  std::string text;
  for (int cell = 0; cell < cells; ++cell) {
    text += cell < full ? (unicode ? "━" : "#") : (unicode ? "─" : "-");
  }
  return text;
}

std::string time_left(double seconds) {
  return std::isfinite(seconds) ? fmt::format("  {} left", duration(seconds)) : "";
}

/// Not fmt::print, which throws: a terminal that was closed ends no run.
void put(const std::string& text, std::FILE* out) {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

}  // namespace

std::string progress_line(const std::string& what, std::int64_t done, std::int64_t total, const std::string& figures,
                          double seconds_left, int columns, bool unicode) {
  const double share = total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 1.0;
  // Rounded down: 100% is said only when all is done.
  const std::string head = fmt::format("{} {:3}%", what, static_cast<int>(share * 100));
  const std::string tail = fmt::format("{}/{}{}{}{}", with_thousands(done), with_thousands(total),
                                       figures.empty() ? "" : "  ", figures, time_left(seconds_left));

  const int room = std::min(columns - width(head) - width(tail) - 2, kWidestBar);
  const std::string middle = room >= kNarrowestBar ? fmt::format(" {} ", bar(share, room, unicode)) : " ";
  return cut(head + middle + tail, columns);
}

Progress::Progress(std::string what, std::int64_t total, std::FILE* out, std::int64_t first_done)
    : what_(std::move(what)), total_(total), out_(out), terminal_(out), done_(first_done) {
  pace_.add(first_done, 0.0);
}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  if (!drawn_) return;
  draw();  // what stood in wait for its turn
  put("\n", out_);
}

void Progress::update(std::int64_t done, const std::string& figures) {
  const std::lock_guard lock(mutex_);
  if (out_ == nullptr || finished_) return;
  done_ = done;
  figures_ = figures;
  pace_.add(done, seconds());
  if (terminal_.shows()) return draw_if_due();
  put(fmt::format("{} {}/{}{}{}{}\n", what_, done, total_, figures.empty() ? "" : "  ", figures,
                  time_left(pace_.left(total_))),
      out_);
}

void Progress::tick(std::int64_t done) {
  const std::lock_guard lock(mutex_);
  if (!terminal_.shows() || finished_) return;
  done_ = done;
  pace_.add(done, seconds());
  draw_if_due();
}

void Progress::message(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (out_ == nullptr) return;
  const bool redraw = drawn_;
  erase();
  put(line + "\n", out_);
  if (redraw) draw();
}

void Progress::finish(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (out_ == nullptr || finished_) return;
  finished_ = true;
  erase();
  if (!line.empty()) put(line + "\n", out_);
}

/// A terminal over ssh need not carry a thousand lines a second; the last state is never left out.
void Progress::draw_if_due() {
  if (drawn_ && done_ < total_ && seconds() - last_drawn_ < kSecondsBetweenDraws) return;
  draw();
}

void Progress::draw() {
  // One column stays free: terminals differ in whether a full line has already wrapped.
  static const bool unicode = locale_has_unicode();
  const int columns = terminal_.columns() - 1;
  put(fmt::format("\r{}\x1b[K", progress_line(what_, done_, total_, figures_, pace_.left(total_), columns, unicode)),
      out_);
  drawn_ = true;
  last_drawn_ = seconds();
}

void Progress::erase() {
  if (!drawn_) return;
  put("\r\x1b[K", out_);
  drawn_ = false;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

}  // namespace etude::log
