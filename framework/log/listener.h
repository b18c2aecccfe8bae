#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "framework/log/distribution.h"

namespace etude::log {

/// A training run, as it introduces itself.
struct RunFacts {
  std::string name;
  std::filesystem::path folder;
  std::filesystem::path metrics;                                     ///< its metrics.jsonl
  std::string config;                                                ///< YAML, every option written out
  std::vector<std::pair<std::string, std::string>> settings;         ///< the same: "train.lr", "3.0e-4"
  std::vector<std::pair<std::string, std::string>> circumstances{};  ///< what it runs on: "host", "revision", …
  std::int64_t steps = 0;                                            ///< that it will have
  std::int64_t done = 0;  ///< by earlier sessions; what was told of later steps is measured anew
};

/// What was measured after a step, under the names of metrics.jsonl: "loss", "rank_seconds.max", "eval_loss".
struct Figures {
  std::int64_t step = 0;
  double time = 0;  ///< seconds since 1970
  std::map<std::string, double> values;
};

/// The time as it stands in Figures.
double seconds_since_1970();

/// A line of metrics.jsonl, measured now; numbers within an object get its name and a dot in front.
Figures figures_of(const nlohmann::json& row);

enum class State {
  kFinished,
  kStopped,  ///< by a signal, its time limit, or whoever looks after it: it may go on
  kFailed,
};

/// "finished", "stopped", "failed".
const char* name_of(State state);

/// Whoever is told of a run while it trains. Training waits for each call, so none may take long, and none may throw:
/// what goes wrong here is no matter of the run's.
class Listener {
 public:
  virtual ~Listener() = default;

  /// First of all, once.
  virtual void begin(const RunFacts& facts) = 0;
  virtual void step(const Figures& figures) = 0;
  /// `whole`: the evaluation as evaluations/step-….json has it (docs/formats.md).
  virtual void evaluation(const Figures& figures, const nlohmann::json& whole) = 0;
  /// Last of all, once; how the run ended.
  virtual void end(State state) = 0;

  /// Whether weights() is wanted: they have to be read for it.
  virtual bool wants_weights() const { return false; }
  /// How the weights are distributed at an evaluation, by group of layers: "h.0/attention".
  virtual void weights(std::int64_t /*step*/, double /*time*/, const std::map<std::string, Distribution>& /*groups*/) {}
};

}  // namespace etude::log
