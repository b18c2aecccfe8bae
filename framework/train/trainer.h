#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "data/loader/loader.h"
#include "data/shard/pack.h"
#include "framework/checkpoint/store.h"
#include "framework/comm/communicator.h"
#include "framework/parallel/gradient_reducer.h"
#include "framework/parallel/worker_pool.h"
#include "framework/run/run_folder.h"
#include "framework/train/agreement.h"
#include "framework/train/early_stopping.h"
#include "framework/train/experiment.h"
#include "framework/train/grain_runner.h"
#include "framework/train/lanes.h"
#include "framework/train/optimizer.h"
#include "framework/train/overseer.h"
#include "framework/train/rank_times.h"
#include "framework/train/run_log.h"
#include "framework/train/schedule.h"
#include "framework/train/step_profiler.h"
#include "framework/train/updater.h"
#include "models/model.h"

namespace etude::train {

/// Why training ended.
enum class Ending {
  kFinished,      ///< all steps done
  kStoppedEarly,  ///< stop.patience
  kCalledOff,     ///< by the overseer; a checkpoint was written, it may let the run go on
  kEnough,        ///< so the overseer said: all steps are done that are to be
  kInterrupted,   ///< a signal; a checkpoint was written, resume to go on
  kOutOfTime,     ///< train.time_limit; likewise
  kNonFinite,     ///< a loss or gradient was not finite and the run is configured to stop
};

/// Trains one model, together with the other ranks. Everything that decides the result (order of the data, grains,
/// dropout) is a function of the experiment and the step alone, so a run may stop at any step and go on, on any number
/// of ranks, to the same bits.
class Trainer {
 public:
  /// `model` is freshly initialised, the same on every rank, on the device that is to compute. `peak_flops`: how many
  /// operations a second that device could do, for the log. Throws UsageError when the experiment and the pack or the
  /// number of ranks do not fit together.
  Trainer(const Experiment& experiment, const data::Pack& pack, models::Model& model, comm::Communicator& communicator,
          const run::RunFolder& folder, RunLog& log, std::optional<double> peak_flops = std::nullopt);
  ~Trainer();

  /// Starts from these weights instead of the initial ones.
  void start_from(const models::NamedTensors& weights, const std::string& place);
  /// Continues with the run folder's newest whole checkpoint; returns false when there is none. Every rank calls it.
  /// Throws UsageError when the checkpoint was made from other data, another model or another batch.
  bool resume();

  /// Goes on where another run's newest whole checkpoint is, in a folder of its own. Throws UsageError as resume()
  /// does, and when that run has none.
  void go_on_from(const run::RunFolder& other);

  /// Obeys whoever looks after this run from outside, from now on. Every rank has one.
  void obey(Overseer& overseer) { overseer_ = &overseer; }

  /// Called after each evaluation, on the ranks that were given it, with the step; the others wait. It may use the
  /// model, but not change it.
  void after_evaluations(std::function<void(std::int64_t step)> then) { after_evaluation_ = std::move(then); }

  /// Finds out where the time of so many of the coming steps goes (see StepProfiler).
  void profile(std::int64_t steps);

  /// Trains until the end, or until something ends it. Leaves checkpoints, metrics and logs in the run folder.
  Ending train();

  std::int64_t steps_done() const { return step_; }
  std::int64_t steps() const { return steps_; }
  int threads() const { return workers_.threads(); }
  const EarlyStopping& stopping() const { return stopping_; }
  bool walks_in_lanes() const { return order_ == data::Order::kLanes; }

 private:
  void begin_step();
  /// Says, to whoever wants to know, what this rank is about.
  void enter(std::int64_t step, const char* doing);
  bool on_gpu() const;
  /// False when a step that was not finite must be the last; tells what was wrong.
  bool may_go_on(const StepOutcome& outcome);
  void report_step(const StepOutcome& outcome, const data::Loader& loader);
  /// What came of measuring the model: the metric that decides, and what the overseer says of it.
  struct Evaluation {
    double metric = 0;
    Word word = Word::kGoOn;
  };
  std::optional<Evaluation> evaluate();
  /// Takes over all that a checkpoint folder holds.
  void take_up(const std::string& checkpoint);
  bool among_the_best(double metric);
  void save(std::optional<double> metric);
  void choose_final_weights();
  std::string name_bad_sequences(std::int64_t step, std::int64_t grain);
  nlohmann::json made_from() const;

  const Experiment& experiment_;
  const data::Pack& pack_;
  models::Model& model_;
  comm::Communicator& communicator_;
  run::RunFolder folder_;
  RunLog& log_;

  const data::Order order_;  ///< of the data; never kAuto
  std::unique_ptr<data::Plan> plan_;
  std::int64_t steps_;
  std::int64_t grains_;
  parallel::WorkerPool workers_;
  std::unique_ptr<Optimizer> optimizer_;
  parallel::GradientReducer reducer_;
  std::unique_ptr<Updater> updater_;
  std::unique_ptr<Lanes> lanes_;  ///< null where nothing is remembered from step to step
  std::unique_ptr<GrainRunner> runner_;
  Schedule schedule_;
  EarlyStopping stopping_;
  RankTimes rank_times_;
  checkpoint::Store store_;

  std::int64_t step_ = 0;  ///< done
  std::int64_t skipped_in_a_row_ = 0;
  std::int64_t tokens_ = 0;    ///< learned from
  double seconds_before_ = 0;  ///< trained in earlier sessions of this run

  const double flops_per_token_;
  const std::optional<double> peak_flops_;

  std::function<void(std::int64_t)> after_evaluation_;
  Overseer* overseer_ = nullptr;  ///< null where nobody looks after the run

  std::unique_ptr<StepProfiler> profiler_;  ///< null without --profile
  std::optional<profile::Span> phase_;      ///< what the loop is about
  struct Clock;
  std::unique_ptr<Clock> clock_;
};

}  // namespace etude::train
