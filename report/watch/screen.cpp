#include "report/watch/screen.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <string_view>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace etude::report::watch {
namespace {

/// Another screen, without cursor, without going on in the next line at the edge.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
/// Bytes of one key (an arrow is three) come together.
constexpr int kKeyBytes = 16;

std::optional<Key> key_of(std::string_view bytes) {
  if (bytes == "q" || bytes == "Q") return Key::kQuit;
  if (bytes == "k" || bytes == "\x1b[A" || bytes == "\x1bOA") return Key::kUp;
  if (bytes == "j" || bytes == "\x1b[B" || bytes == "\x1bOB") return Key::kDown;
  if (bytes == "\r" || bytes == "\n") return Key::kEnter;
  if (bytes == "\x1b") return Key::kBack;
  if (bytes == "x") return Key::kAxis;
  if (bytes == "l") return Key::kLogarithmic;
  return std::nullopt;
}

}  // namespace

Screen::Screen(bool colours) : terminal_(stdout), colours_(colours) {
  // Signals are read like keys: nothing is interrupted half done, and the end is the usual one.
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : kEnding) sigaddset(&watched, signal);
  sigaddset(&watched, SIGWINCH);
  sigaddset(&watched, SIGTSTP);
  sigprocmask(SIG_BLOCK, &watched, &signals_before_);
  signals_ = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  enter();
}

Screen::~Screen() {
  leave();
  if (signals_ >= 0) close(signals_);
  sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
}

void Screen::enter() {
  termios settings{};
  if (tcgetattr(STDIN_FILENO, &settings) == 0) {
    settings_before_ = settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
  }
  shown_.reset();
  write(kEnter);
}

void Screen::leave() {
  write(kLeave);
  // What was typed but not read is not for the shell.
  if (settings_before_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &*settings_before_);
}

/// Ctrl-Z: the shell gets its terminal as it was, until the program is continued.
void Screen::suspend() {
  leave();
  raise(SIGSTOP);
  enter();
}

void Screen::show(const Canvas& canvas) {
  const bool fits = shown_ && shown_->columns() == canvas.columns() && shown_->rows() == canvas.rows();
  std::string bytes;
  if (!fits) {
    if (shown_) bytes = "\x1b[0m\x1b[2J";
    shown_.emplace(canvas.columns(), canvas.rows());
  }
  bytes += difference(*shown_, canvas, colours_);
  write(bytes);
  *shown_ = canvas;
}

Event Screen::wait(double seconds) {
  // Without keys, a stdin that is at its end would be readable for ever.
  std::array<pollfd, 2> sources{pollfd{signals_, POLLIN, 0}, pollfd{settings_before_ ? STDIN_FILENO : -1, POLLIN, 0}};
  const int milliseconds = static_cast<int>(std::ceil(1000 * seconds));
  if (closed_) return {.key = {}, .signal = 0, .closed = true};
  if (::poll(sources.data(), sources.size(), milliseconds) <= 0) return {};
  if (sources[0].revents != 0) return take_signal();
  Event event;
  if ((sources[1].revents & POLLIN) != 0) event.key = take_key();
  event.closed = closed_ || (sources[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  return event;
}

Event Screen::take_signal() {
  signalfd_siginfo info{};
  if (read(signals_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return {};
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGTSTP) suspend();
  if (signal == SIGTSTP || signal == SIGWINCH) return {};
  return {.key = {}, .signal = signal, .closed = false};
}

std::optional<Key> Screen::take_key() {
  std::array<char, kKeyBytes> bytes{};
  const ssize_t count = read(STDIN_FILENO, bytes.data(), bytes.size());
  if (count <= 0) {
    closed_ = true;
    return std::nullopt;
  }
  const std::string_view typed(bytes.data(), static_cast<std::size_t>(count));
  // Of keys typed ahead (a window that hung) the last one counts, but for an escape sequence, which is one key.
  return typed.front() == '\x1b' ? key_of(typed.substr(0, 3)) : key_of(typed.substr(typed.size() - 1));
}

void Screen::write(std::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EAGAIN) {
      pollfd ready{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      closed_ = true;  // the terminal is gone; nothing more can be shown
    }
  }
}

}  // namespace etude::report::watch
