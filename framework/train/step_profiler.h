#pragma once

#include <cstdint>
#include <memory>

#include "framework/comm/communicator.h"
#include "framework/profile/profile.h"
#include "framework/run/run_folder.h"
#include "framework/train/run_log.h"

namespace etude::train {

/// `etude train --profile`: finds out where the time of some steps goes, tells it rank by rank, and leaves a trace of
/// each rank in the run folder. The first steps, which take memory and open files, are left out.
class StepProfiler {
 public:
  StepProfiler(std::int64_t steps, comm::Communicator& communicator, const run::RunFolder& folder, RunLog& log);

  /// At every step's beginning, on all ranks: when nothing is under way between them.
  void step_begins();
  /// When training ends, sooner than wanted perhaps.
  void training_ends();

 private:
  void tell();

  const std::int64_t wanted_;
  comm::Communicator& communicator_;
  const run::RunFolder folder_;
  RunLog& log_;
  std::unique_ptr<profile::Profile> profile_;
  std::int64_t begun_ = 0;     ///< steps of this session
  std::int64_t profiled_ = 0;  ///< steps in profile_
  bool told_ = false;
};

}  // namespace etude::train
