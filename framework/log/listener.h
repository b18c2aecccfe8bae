#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
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

struct PlayedNote {
  double start = 0;    ///< seconds
  double seconds = 0;  ///< that it lasts
  int pitch = 60;      ///< MIDI key
  int velocity = 64;
};

/// A WAV file, whole.
struct Sound {
  std::string wav;
  int rate = 0;  ///< frames a second
  int channels = 0;
  std::int64_t frames = 0;
};

/// Music that the model made after a step.
struct PlayedPiece {
  std::vector<PlayedNote> notes;
  std::optional<Sound> sound;
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

  /// Whether piece() is wanted: it has to be made for it.
  virtual bool wants_pieces() const { return false; }
  virtual void piece(std::int64_t /*step*/, double /*time*/, const PlayedPiece& /*piece*/) {}

  /// Whether weights() is wanted: they have to be read for it.
  virtual bool wants_weights() const { return false; }
  /// How the weights are distributed at an evaluation, by group of layers: "h.0/attention".
  virtual void weights(std::int64_t /*step*/, double /*time*/, const std::map<std::string, Distribution>& /*groups*/) {}
};

}  // namespace etude::log
