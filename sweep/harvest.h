#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "framework/run/run_folder.h"
#include "sweep/desk.h"

namespace etude::sweep {

/// Every evaluation that a run has written into its metrics.jsonl, in order. A file that is not there holds none, and
/// half a line at its end is none.
std::vector<Measurement> evaluations_in(const std::filesystem::path& metrics);

/// What its final weights were measured at; nothing for a run that is not done.
std::optional<Measurement> final_evaluation(const run::RunFolder& run);

}  // namespace etude::sweep
