#include "framework/comm/stack_traces.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include <cxxabi.h>
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace etude::comm {
namespace {

constexpr int kDeepest = 100;
constexpr auto kPatience = std::chrono::seconds(1);

/// Where one thread writes its stack. Only atomics and plain memory: it is filled inside a signal handler.
struct Slot {
  pid_t thread = 0;
  std::array<void*, kDeepest> frames{};
  std::atomic<int> depth = 0;
};

struct Round {
  explicit Round(std::size_t threads) : slots(threads) {}
  std::vector<Slot> slots;
};

std::atomic<Round*> current = nullptr;

pid_t this_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// Runs on the thread that was asked, wherever it was. backtrace() allocates nothing once libgcc has been loaded.
void answer(int) {
  const int error = errno;
  if (Round* const round = current.load(std::memory_order_acquire)) {
    const pid_t me = this_thread();
    for (Slot& slot : round->slots) {
      if (slot.thread == me) slot.depth.store(::backtrace(slot.frames.data(), kDeepest), std::memory_order_release);
    }
  }
  errno = error;
}

std::vector<pid_t> threads_of_this_process() {
  std::vector<pid_t> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    threads.push_back(static_cast<pid_t>(std::atoi(entry.path().filename().c_str())));
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

std::string name_of(pid_t thread) {
  std::ifstream file(fmt::format("/proc/self/task/{}/comm", thread));
  std::string name;
  std::getline(file, name);
  return name;
}

std::string demangled(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : symbol;
}

std::string line_of(const void* frame) {
  Dl_info info{};
  // A frame is where a call returns to, which may already be the next function's first instruction.
  const char* const address = static_cast<const char*>(frame) - 1;
  if (::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return fmt::format("{}", frame);
  const std::string module = std::filesystem::path(info.dli_fname).filename().string();
  return fmt::format("{}  {}+{:#x}", info.dli_sname != nullptr ? demangled(info.dli_sname) : "?", module,
                     address - static_cast<const char*>(info.dli_fbase));
}

}  // namespace

int trace_signal() { return SIGRTMIN + 7; }

void prepare_stack_traces() {
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);  // loads libgcc now, since a signal handler may not
  struct sigaction action {};
  action.sa_handler = answer;
  action.sa_flags = SA_RESTART;
  ::sigaction(trace_signal(), &action, nullptr);
}

std::string stack_traces() {
  const std::vector<pid_t> threads = threads_of_this_process();
  // Never freed: a thread may answer after everybody has stopped waiting.
  auto* const round = new Round(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i) round->slots[i].thread = threads[i];
  current.store(round, std::memory_order_release);
  for (const pid_t thread : threads) ::syscall(SYS_tgkill, ::getpid(), thread, trace_signal());

  const auto all_answered = [round] {
    return std::all_of(round->slots.begin(), round->slots.end(),
                       [](const Slot& slot) { return slot.depth.load(std::memory_order_acquire) > 0; });
  };
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!all_answered() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  std::string text;
  for (const Slot& slot : round->slots) {
    text += fmt::format("thread {} ({}){}\n", slot.thread, name_of(slot.thread),
                        slot.thread == ::getpid() ? ", the main thread" : "");
    const int depth = slot.depth.load(std::memory_order_acquire);
    if (depth == 0) text += "  does not answer (it blocks signals, or does not get the processor)\n";
    // The handler itself, and what the system put between it and the thread's work, are of no interest.
    for (int i = std::min(2, depth); i < depth; ++i) {
      text += fmt::format("  #{} {}\n", i - 2, line_of(slot.frames[static_cast<std::size_t>(i)]));
    }
  }
  return text;
}

}  // namespace etude::comm
