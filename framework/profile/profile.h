#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/record_function.h>
#include <nlohmann/json_fwd.hpp>

namespace etude::profile {

/// A stretch of this thread's time under a name, from construction to destruction, for a Profile to see. Costs a few
/// nanoseconds while there is none.
class Span {
 public:
  explicit Span(const char* name) : record_(at::RecordScope::USER_SCOPE) {
    if (record_.isActive()) record_.before(name);
  }

 private:
  at::RecordFunction record_;
};

/// What all stretches of one name came to.
struct Total {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0;      ///< from begin to end
  double own_seconds = 0;  ///< of a span without the spans, of an operator without the operators within it
};

/// Records every Span, every operator of LibTorch and every step of its autograd, on all threads, from construction to
/// stop(). There can be one at a time.
class Profile {
 public:
  Profile();
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Ends recording; for when no other thread is within anything that is recorded.
  void stop();
  /// From construction to stop().
  double seconds() const;

  /// Sums by name over all threads, the largest first: of Spans by their time, of operators by their own.
  std::vector<Total> spans() const;
  std::vector<Total> operators() const;
  /// The events in the Trace Event Format ("complete" events, in microseconds), as chrome://tracing and ui.perfetto.dev
  /// open it. `rank` becomes the process.
  nlohmann::json chrome_trace(int rank) const;

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;
};

}  // namespace etude::profile
