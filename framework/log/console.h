#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>

#include "framework/log/pace.h"
#include "framework/log/terminal.h"

namespace etude::log {

/// Tells a person how far something has come. On a terminal (mpirun's counts too) one line, redrawn in place and fitted
/// to its width:
///
///     train  42% ━━━━━━━━━━━━━━──────────────────── 84/200  loss 3.21  norm 0.8  lr 3.0e-4  12,345 tok/s  1m23s left
///
/// Elsewhere (a file, a pipe) one plain line per update(). Safe to use from several threads.
class Progress {
 public:
  /// `out` is where it shows, usually stderr; null shows nothing (the ranks other than 0). A resumed run gives what
  /// was `first_done` before it started, so that the pace counts only what is done now.
  Progress(std::string what, std::int64_t total, std::FILE* out, std::int64_t first_done = 0);
  /// Leaves the last state standing on a line of its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// New figures, once per logging step: "loss 3.21  norm 0.8  lr 3.0e-4  12,345 tok/s".
  void update(std::int64_t done, const std::string& figures);
  /// Between the updates: moves the bar of a terminal, keeping the last figures; prints nothing elsewhere.
  void tick(std::int64_t done);
  /// A line for good, above the bar.
  void message(const std::string& line);
  /// Replaces the bar by a last line (empty: by nothing); afterwards only messages show.
  void finish(const std::string& line);

 private:
  void draw_if_due();
  void draw();
  void erase();
  double seconds() const;

  std::mutex mutex_;
  std::string what_;
  std::int64_t total_;
  std::FILE* out_;
  Terminal terminal_;
  bool finished_ = false;
  bool drawn_ = false;
  std::int64_t done_;
  std::string figures_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double last_drawn_ = -1;
  Pace pace_;
};

/// The progress line without its trailing newline or escapes, at most `columns` wide: first the bar gives way, then
/// the end of the figures. `unicode` draws the bar with box characters instead of '#' and '-'.
std::string progress_line(const std::string& what, std::int64_t done, std::int64_t total, const std::string& figures,
                          double seconds_left, int columns, bool unicode);

}  // namespace etude::log
