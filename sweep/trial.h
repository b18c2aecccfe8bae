#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweep/distribution.h"

namespace etude::sweep {

/// Optuna's states of a trial.
enum class TrialState { kRunning, kComplete, kPruned, kFail, kWaiting };
bool is_over(TrialState state);
/// "RUNNING", as storages have it.
const char* name_of(TrialState state);
/// Throws Error for another word.
TrialState state_of(const std::string& name);

enum class Direction { kMinimize, kMaximize };

struct Parameter {
  std::string name;
  double value = 0;  ///< internal
  std::shared_ptr<const Distribution> distribution;

  Json external() const { return distribution->external(value); }
};

/// What a trial said of itself on its way. May be nan or infinite.
struct Report {
  std::int64_t step = 0;
  double value = 0;
  bool operator==(const Report&) const = default;
};

/// System attributes of ours, beside Optuna's own.
inline constexpr const char* kPaused = "etude:paused";  ///< the step at which a running trial waits to be promoted
inline constexpr const char* kParent = "etude:parent";  ///< number of the trial whose checkpoint this one began from
inline constexpr const char* kRetries = "etude:retries";
inline constexpr const char* kReason = "etude:reason";  ///< why it failed or was stopped, in words
inline constexpr const char* kFixed = "fixed_params";   ///< Optuna's: values a waiting trial was enqueued with

struct Trial {
  std::int64_t id = -1;     ///< the storage's
  std::int64_t number = 0;  ///< within the study, from 0
  TrialState state = TrialState::kRunning;
  std::vector<double> values;         ///< of the objectives, once it is over; may be infinite
  std::vector<Parameter> parameters;  ///< in order of name
  std::vector<Report> reports;        ///< in order of step
  std::map<std::string, Json> user_attributes;
  std::map<std::string, Json> system_attributes;
  std::optional<double> began;  ///< seconds since 1970, UTC
  std::optional<double> ended;

  /// nullptr where this trial has no such parameter.
  const Parameter* parameter(const std::string& name) const;
  /// Sets or replaces.
  void set_parameter(Parameter parameter);
  void set_report(Report report);
  bool paused() const { return state == TrialState::kRunning && system_attributes.contains(kPaused); }
};

/// What is known of a study.
struct History {
  const std::vector<Direction>& directions;  ///< one for each objective
  const std::vector<Trial>& trials;          ///< by number, of every state
};

/// `value` of the objective turned so that less is better.
inline double as_loss(double value, Direction direction) { return direction == Direction::kMinimize ? value : -value; }

}  // namespace etude::sweep
