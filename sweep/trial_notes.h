#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweep/desk.h"

namespace etude::sweep {

// Attributes of trials that a controller gave out, beside those of trial.h; docs/formats.md describes them.
inline constexpr const char* kRequest = "etude:request";    ///< the asker's word; there is one in every trial of ours
inline constexpr const char* kEnqueued = "etude:enqueued";  ///< the word of whoever enqueued it
inline constexpr const char* kLive = "etude:live";          ///< the worker, while it has the trial
inline constexpr const char* kStints = "etude:stints";
inline constexpr const char* kDuplicate = "etude:duplicate_of";  ///< for users
inline constexpr const char* kWall = "etude:wall";               ///< of the study: seconds it was worked on

/// The worker of a trial, and since when it has it.
Json as_given(const Worker& worker, double now);
Worker worker_from(const Json& json);

Json to_json(const std::vector<Stint>& stints);
std::vector<Stint> stints_from(const Json& json);

/// A system attribute; empty, or `otherwise`, where there is none of that kind.
std::string text_attribute(const Trial& trial, const char* key);
std::int64_t whole_attribute(const Trial& trial, const char* key, std::int64_t otherwise);

/// Its state as people are shown it: Optuna's word, or "PAUSED".
const char* shown_state(const Trial& trial);

/// Two trials of the same configuration have the same.
std::string configuration(const Trial& trial);

/// What a trial was told that is over, or waits to be promoted.
Verdict verdict_of(const Trial& trial);

}  // namespace etude::sweep
