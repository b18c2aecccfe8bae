#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/loader/plan.h"
#include "framework/checkpoint/options.h"
#include "framework/config/options.h"
#include "framework/evaluate/options.h"
#include "framework/track/options.h"
#include "framework/train/options.h"
#include "models/registry.h"

namespace etude::train {

/// What one YAML file describes: all that decides how a run comes out.
struct Experiment {
  std::string name;
  std::filesystem::path run;  ///< the run folder; runs/<name> when empty
  std::uint64_t seed() const { return static_cast<std::uint64_t>(seed_value); }
  std::int64_t seed_value = 1;
  data::DataOptions data;
  models::ModelOptions model;
  TrainOptions train;
  evaluate::EvaluateOptions evaluate;
  checkpoint::CheckpointOptions checkpoint;
  StopOptions stop;
  track::TrackOptions track;
};
void describe(config::Section& section, Experiment& experiment);

/// Reads an experiment and checks what no single option can see. Throws config::ConfigError with every complaint.
Experiment load_experiment(const std::filesystem::path& file, const std::vector<std::string>& assignments = {});

/// Every option with its value: "train.lr", "3.0e-4".
std::vector<std::pair<std::string, std::string>> settings(const Experiment& experiment);

/// The resolved configuration, as it is written into the run folder; load_experiment reads it back.
std::string to_yaml(const Experiment& experiment);

}  // namespace etude::train
