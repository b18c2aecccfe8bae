#include "framework/train/interruption.h"

#include <array>
#include <csignal>

namespace etude::train {
namespace {

constexpr std::array kSignals{SIGTERM, SIGINT, SIGUSR1};
volatile std::sig_atomic_t noted = 0;

void note(int signal) {
  if (signal == SIGINT && noted == SIGINT) std::signal(SIGINT, SIG_DFL);  // the third one ends us at once
  noted = signal;
}

}  // namespace

Interruption::Interruption(double time_limit) : time_limit_(time_limit) {
  noted = 0;
  for (const int signal : kSignals) {
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
}

Interruption::~Interruption() {
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
}

int Interruption::signal() const { return noted; }

bool Interruption::out_of_time() const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return time_limit_ > 0 && passed.count() >= time_limit_;
}

std::string signal_name(int signal) {
  switch (signal) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGUSR1:
      return "SIGUSR1";
    default:
      return "signal " + std::to_string(signal);
  }
}

}  // namespace etude::train
