#pragma once

#include <csignal>
#include <optional>

#include <termios.h>

#include "framework/log/terminal.h"
#include "report/watch/canvas.h"

namespace etude::report::watch {

enum class Key { kQuit, kUp, kDown, kEnter, kBack, kAxis, kLogarithmic };

/// What happened while waiting.
struct Event {
  std::optional<Key> key;
  int signal = 0;       ///< that asks for the end
  bool closed = false;  ///< the terminal is gone
};

/// The terminal that stdout is, as a screen of its own: what stood there before comes back when this object goes,
/// however the program ends but for SIGKILL. Understood by all that speak ECMA-48 (xterm, screen, tmux, the Linux
/// console), so without asking a database of terminals, which need not know the one behind an ssh.
class Screen {
 public:
  explicit Screen(bool colours);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  int columns() const { return terminal_.columns(); }
  int rows() const { return terminal_.rows(); }
  /// Writes what differs from the frame before, at once.
  void show(const Canvas& canvas);
  /// Returns at the first event or after that many seconds. A window of another size is an event without content.
  Event wait(double seconds);

 private:
  void enter();
  void leave();
  void suspend();
  Event take_signal();
  std::optional<Key> take_key();
  void write(std::string_view bytes);

  log::Terminal terminal_;
  bool colours_;
  sigset_t signals_before_{};
  int signals_ = -1;
  std::optional<termios> settings_before_;  ///< where stdin is a terminal
  std::optional<Canvas> shown_;
  bool closed_ = false;
};

}  // namespace etude::report::watch
