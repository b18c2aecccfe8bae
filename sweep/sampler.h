#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/options.h"
#include "sweep/random.h"
#include "sweep/search_space.h"
#include "sweep/trial.h"

namespace etude::sweep {

/// What a sampler is asked: the values of trial `number`.
struct Question {
  const SearchSpace& space;
  const History& history;  ///< trials of others as well, which may have other parameters
  std::int64_t number = 0;
  const Assignment& fixed;  ///< what the user enqueued; to be taken over
  std::uint64_t seed = 0;

  /// The draws of this trial.
  Random random() const { return Random(seed, static_cast<std::uint64_t>(number)); }
};

struct Suggestion {
  Assignment values;  ///< of all that are active
  /// The trial from whose checkpoint to go on (population-based training).
  std::optional<std::int64_t> parent;
  std::map<std::string, Json> notes;  ///< system attributes that the sampler wants to find again
};

/// Proposes values. A suggestion is a function of the question alone: whoever asks the same gets the same, also after a
/// restart; what a sampler keeps from call to call only saves time.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// Its keys in the `sampler` section, bound to its own fields.
  virtual void describe(config::Section& section) = 0;
  /// Throws UsageError for what no single key can see: a grid over a continuum, several objectives where it takes one.
  virtual void check(const SearchSpace&, const std::vector<Direction>&) const {}
  virtual Suggestion suggest(const Question& question) = 0;
  /// How many steps a whole training has, where that is the same for all trials.
  virtual void set_steps(std::int64_t) {}
  /// Why nothing is left to be proposed (of a grid that is done), for as long as no running trial ends; else empty.
  virtual std::string exhausted(const SearchSpace&, const History&) const { return ""; }
};

struct SamplerKind {
  const char* name;
  std::unique_ptr<Sampler> (*make)();
};
/// All there are, the default first.
const std::vector<SamplerKind>& sampler_kinds();

}  // namespace etude::sweep
