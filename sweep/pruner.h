#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "framework/config/options.h"
#include "sweep/trial.h"

namespace etude::sweep {

/// What becomes of a running trial that has just reported.
enum class Verdict {
  kContinue,
  kPrune,   ///< it ends here
  kPause,   ///< it writes a checkpoint and gives its place away; promote() may bring it back
  kFinish,  ///< it has done what it was to do, and is complete
};

/// Decides which trials are worth going on with, by what they and others reported. A function of the history alone.
class Pruner {
 public:
  virtual ~Pruner() = default;

  /// Its keys in the `pruner` section, bound to its own fields.
  virtual void describe(config::Section& section) = 0;
  /// Throws UsageError: pruning several objectives means nothing.
  virtual void check(const std::vector<Direction>& directions) const;
  /// `trial` is part of the history; its newest report is the last.
  virtual Verdict judge(const History& history, const Trial& trial) const = 0;
  /// The number of a paused trial that is to go on before a new one begins.
  virtual std::optional<std::int64_t> promote(const History&) const { return std::nullopt; }
};

struct PrunerKind {
  const char* name;
  std::unique_ptr<Pruner> (*make)();
};
/// All there are, "none" first.
const std::vector<PrunerKind>& pruner_kinds();

}  // namespace etude::sweep
