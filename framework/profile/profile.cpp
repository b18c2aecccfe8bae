#include "framework/profile/profile.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace etude::profile {
namespace {

std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Event {
  std::string name;
  at::RecordScope kind;
  std::int64_t begin, end;  ///< nanoseconds of the steady clock
};

/// The events of one thread, which alone adds to them.
struct ThreadEvents {
  std::uint64_t thread;
  std::vector<Event> events;
};

/// Autograd calls a node of our own "torch::autograd::CppNode<etude::models::(anonymous namespace)::Gelu>".
std::string readable(std::string name) {
  const std::size_t begin = name.rfind("::");
  if (name.starts_with("torch::autograd::CppNode<") && begin != std::string::npos) {
    return "backward of " + name.substr(begin + 2, name.find('>', begin) - begin - 2);
  }
  return name;
}

}  // namespace

struct Profile::Recording {
  std::int64_t begin = nanoseconds_now();
  std::int64_t end = 0;
  std::uint64_t number = 0;  ///< so that threads notice that theirs are the events of an earlier one
  at::CallbackHandle callback = 0;
  std::mutex mutex;  ///< guards the list, not the events
  std::vector<std::unique_ptr<ThreadEvents>> threads;

  static std::atomic<Recording*> current;

  std::vector<Event>& events_of_this_thread() {
    thread_local std::uint64_t known = 0;
    thread_local ThreadEvents* own = nullptr;
    if (known != number) {
      const std::lock_guard lock(mutex);
      threads.push_back(std::make_unique<ThreadEvents>(ThreadEvents{at::RecordFunction::currentThreadId(), {}}));
      own = threads.back().get();
      known = number;
    }
    return own->events;
  }

  /// Calls take(event, own nanoseconds) for all spans, or for all others; own is without what of its kind is within.
  template <typename Take>
  void for_each(bool spans, const Take& take) const {
    for (const auto& thread : threads) {
      std::vector<const Event*> events;
      for (const Event& event : thread->events) {
        if ((event.kind == at::RecordScope::USER_SCOPE) == spans) events.push_back(&event);
      }
      std::ranges::sort(events, [](const Event* a, const Event* b) {
        return a->begin != b->begin ? a->begin < b->begin : a->end > b->end;
      });
      struct Open {
        const Event* event;
        std::int64_t within;  ///< what was recorded directly in it
      };
      std::vector<Open> open;
      const auto close = [&] {
        const Open closed = open.back();
        open.pop_back();
        const std::int64_t duration = closed.event->end - closed.event->begin;
        if (!open.empty()) open.back().within += duration;
        take(*closed.event, duration - closed.within);
      };
      for (const Event* event : events) {
        while (!open.empty() && open.back().event->end <= event->begin) close();
        open.push_back({event, 0});
      }
      while (!open.empty()) close();
    }
  }

  std::vector<Total> totals(bool spans) const {
    std::map<std::string, Total> by_name;
    for_each(spans, [&](const Event& event, std::int64_t own) {
      Total& total = by_name[event.name];
      total.calls += 1;
      total.seconds += 1e-9 * static_cast<double>(event.end - event.begin);
      total.own_seconds += 1e-9 * static_cast<double>(own);
    });
    std::vector<Total> totals;
    for (auto& [name, total] : by_name) {
      total.name = name;
      totals.push_back(std::move(total));
    }
    std::ranges::sort(totals, [&](const Total& a, const Total& b) {
      return spans ? a.seconds > b.seconds : a.own_seconds > b.own_seconds;
    });
    return totals;
  }
};

std::atomic<Profile::Recording*> Profile::Recording::current = nullptr;

Profile::Profile() : recording_(std::make_unique<Recording>()) {
  static std::atomic<std::uint64_t> recordings = 0;
  recording_->number = ++recordings;
  Recording::current = recording_.get();

  struct Begun : at::ObserverContext {
    std::int64_t at = nanoseconds_now();
  };
  recording_->callback = at::addGlobalCallback(
      at::RecordFunctionCallback(
          [](const at::RecordFunction&) -> std::unique_ptr<at::ObserverContext> { return std::make_unique<Begun>(); },
          [](const at::RecordFunction& function, at::ObserverContext* context) {
            Recording* recording = Recording::current;
            if (recording == nullptr) return;
            recording->events_of_this_thread().push_back(
                {function.name(), function.scope(), static_cast<const Begun*>(context)->at, nanoseconds_now()});
          })
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION, at::RecordScope::USER_SCOPE}));
}

Profile::~Profile() { stop(); }

void Profile::stop() {
  if (recording_->end != 0) return;
  at::removeCallback(recording_->callback);
  Recording::current = nullptr;
  recording_->end = nanoseconds_now();
  for (const auto& thread : recording_->threads) {
    for (Event& event : thread->events) event.name = readable(std::move(event.name));
  }
}

double Profile::seconds() const { return 1e-9 * static_cast<double>(recording_->end - recording_->begin); }

std::vector<Total> Profile::spans() const { return recording_->totals(true); }
std::vector<Total> Profile::operators() const { return recording_->totals(false); }

nlohmann::json Profile::chrome_trace(int rank) const {
  nlohmann::json events = nlohmann::json::array();
  events.push_back(
      {{"name", "process_name"}, {"ph", "M"}, {"pid", rank}, {"args", {{"name", fmt::format("rank {}", rank)}}}});
  const auto category = [](at::RecordScope kind) {
    if (kind == at::RecordScope::USER_SCOPE) return "step";
    return kind == at::RecordScope::BACKWARD_FUNCTION ? "autograd" : "operator";
  };
  for (const auto& thread : recording_->threads) {
    for (const Event& event : thread->events) {
      events.push_back({{"name", event.name},
                        {"cat", category(event.kind)},
                        {"ph", "X"},
                        {"pid", rank},
                        {"tid", thread->thread},
                        {"ts", 1e-3 * static_cast<double>(event.begin - recording_->begin)},
                        {"dur", 1e-3 * static_cast<double>(event.end - event.begin)}});
    }
  }
  return {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
}

}  // namespace etude::profile
