#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/config/error.h"
#include "framework/log/listener.h"

namespace etude::track {

/// Nobody took it, or not now: the same is to be tried again.
class Away : public Error {
 public:
  using Error::Error;
};

/// It was understood and is not wanted: to say the same again would not help.
class Refused : public Error {
 public:
  using Error::Error;
};

/// Figures on their way.
struct Message {
  enum class Kind { kStep, kEvaluation } kind = Kind::kStep;
  log::Figures figures;
};

/// The way to one tracker. Its calls take as long as they take; Courier makes them. All but interrupt() are for one
/// thread, and throw Away or Refused.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Until it has come back once, the others are not called.
  virtual void begin(const log::RunFacts& facts) = 0;
  /// At most most_at_once() messages, in the order of time. After Away some of them may have arrived all the same.
  virtual void tell(const std::vector<Message>& messages) = 0;
  virtual void end(log::State state, double time) = 0;
  virtual std::size_t most_at_once() const = 0;

  /// From another thread: what is under way is to fail soon.
  virtual void interrupt() {}
};

}  // namespace etude::track
