#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/options.h"
#include "sweep/pruner.h"
#include "sweep/sampler.h"
#include "sweep/search_space.h"

namespace etude::sweep {

struct Objective {
  std::string name;  ///< a metric of an evaluation: "eval_loss_per_note"
  Direction direction = Direction::kMinimize;
};

/// What a sweep may use; 0 for no bound.
struct Budget {
  std::int64_t trials = 0;  ///< that were begun; one that is retried or promoted counts once
  double wall = 0;          ///< seconds since the sweep began, its pauses left out
  double gpu_hours = 0;
  double core_hours = 0;
  double cost = 0;
  std::string currency;  ///< of the cost
};

struct Resources {
  std::int64_t ranks_per_trial = 0;  ///< 0: what the cluster file says
  std::int64_t max_concurrent_trials = 1;
  std::int64_t max_restarts = 2;  ///< of a trial that was lost
};

/// How the controller listens.
struct ControllerOptions {
  std::string host;       ///< empty: this machine alone where trials run on it, every interface elsewhere
  std::int64_t port = 0;  ///< 0: one that is free
  std::filesystem::path certificate, key;  ///< PEM; with both it speaks HTTPS
  std::filesystem::path token_file;        ///< empty: made in the sweep's folder
  double lease = 120;                      ///< seconds without a word after which a trial is looked for
};

/// What a sweep file says.
struct SweepFile {
  SweepFile();

  std::string name;                      ///< default: that of the file, without its ending
  std::filesystem::path experiment;      ///< as written, relative to the current folder
  std::vector<std::string> assignments;  ///< "train.steps=5000": what all trials share
  std::vector<Objective> objectives;
  SearchSpace space;
  std::vector<std::map<std::string, Json>> enqueue;  ///< configurations to try first
  std::int64_t seed = 0;
  std::string storage = "sqlite:///sweep.db";
  std::filesystem::path folder;  ///< of the controller's files and the trials' runs; default sweeps/NAME
  Budget budget;
  Resources resources;
  ControllerOptions controller;

  /// What the file says that has no meaning here, as "file:line:column: what": to be shown.
  std::vector<std::string> warnings;

  Sampler& sampler() const;
  Pruner& pruner() const;

  std::string sampler_kind, pruner_kind;
  std::vector<std::pair<std::string, std::unique_ptr<Sampler>>> samplers;
  std::vector<std::pair<std::string, std::unique_ptr<Pruner>>> pruners;
};

/// The options of the experiment that a sweep names, filled from the experiment's file alone. The sweep's values are
/// tried on them and taken back.
using ExperimentOptions = std::function<const config::Section&(const SweepFile&)>;

/// Reads a sweep file, in our own spelling or in that of W&B (method, parameters with min/max/distribution,
/// early_terminate, run_cap). With `options`, called where nothing else was wrong, names and values of parameters are
/// compared with the experiment's. Throws config::ConfigError with every complaint at its line and column.
std::unique_ptr<SweepFile> load_sweep(const std::filesystem::path& file,
                                      const std::vector<std::string>& assignments = {},
                                      const ExperimentOptions& options = {});
std::unique_ptr<SweepFile> load_sweep_text(const std::string& yaml, const std::string& name,
                                           const std::vector<std::string>& assignments = {},
                                           const ExperimentOptions& options = {});

/// All of it, resolved, in our own spelling; load_sweep reads it back.
std::string to_yaml(SweepFile& sweep);

/// What `etude explain --sweep` prints, and the JSON Schema of a sweep file for editors.
std::string explain_sweep(const std::string& key);
std::string sweep_schema();

}  // namespace etude::sweep
