#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "launch/launcher.h"
#include "sweep/controller.h"

namespace etude::sweep {

/// Runs a sweep's trials as jobs of an engine, each in a run folder of its own ("trial-0007" in the sweep's folder):
/// asks the controller for trials while there is room, launches them, and tells what came of jobs whose ranks could not
/// tell it themselves. All it knows stands in the storage and in the jobs' folders, so another one goes on where this
/// one was killed.
class Runner {
 public:
  /// What is to be trained: assignments to the experiment's keys ("model.layers=4") made into a request.
  using Prepare = std::function<launch::Request(const std::vector<std::string>& assignments)>;

  /// `cluster`: a fresh copy of where trials are computed. `place`: the controller's file, for the trials.
  Runner(Controller& controller, const SweepFile& sweep, std::function<std::unique_ptr<launch::Cluster>()> cluster,
         Prepare prepare, std::filesystem::path place);

  /// Looks after everything once; to be called every half second or so. What goes wrong with one trial is that trial's
  /// business, and `say` is told.
  void look_around(const std::function<void(const std::string&)>& say);

  /// How many trials are with a job.
  std::int64_t under_way() const { return under_way_; }

  /// The run folder of a trial.
  static std::filesystem::path folder_of(const SweepFile& sweep, std::int64_t number);

 private:
  void look_after(std::int64_t number, const Standing& standing);
  void begin_more();
  void start(const Order& order);
  void launch(const Order& order);
  std::vector<std::string> assignments(const Order& order) const;
  void end(std::int64_t number, const Standing& standing, const launch::Overview& overview);
  void try_later(std::int64_t number, const std::string& trouble);
  void say(std::int64_t number, const std::string& what) const;

  Controller& controller_;
  const SweepFile& sweep_;
  std::function<std::unique_ptr<launch::Cluster>()> cluster_;
  Prepare prepare_;
  std::filesystem::path place_;
  std::function<void(const std::string&)> say_;
  Worker worker_;  ///< what a trial occupies
  std::int64_t under_way_ = 0;
  std::int64_t asked_ = 0;
  std::string name_;  ///< of this runner, for its requests
  std::set<std::int64_t> told_to_stop_;
  std::map<std::int64_t, double> next_try_;      ///< of trials that could not be started
  std::map<std::int64_t, std::string> trouble_;  ///< what was said of them
};

}  // namespace etude::sweep
