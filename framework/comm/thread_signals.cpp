#include "framework/comm/thread_signals.h"

#include <pthread.h>
#include <signal.h>

#include "framework/comm/stack_traces.h"

namespace etude::comm {

void be_a_helper_thread(const char* name) {
  sigset_t signals;
  sigfillset(&signals);
  for (const int kept : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, trace_signal()}) sigdelset(&signals, kept);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  pthread_setname_np(pthread_self(), name);
}

}  // namespace etude::comm
