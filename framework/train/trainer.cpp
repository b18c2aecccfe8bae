#include "framework/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "framework/config/document.h"
#include "framework/config/error.h"
#include "framework/evaluate/evaluator.h"
#include "framework/evaluate/metrics.h"
#include "framework/files/files.h"
#include "framework/log/format.h"
#include "framework/parallel/grains.h"
#include "framework/train/interruption.h"
#include "framework/train/training_plan.h"
#include "framework/train/weight_distributions.h"

namespace etude::train {
namespace {

/// A run that skips this many steps in a row is not going to recover.
constexpr std::int64_t kMostSkipped = 10;

int threads_of(const TrainOptions& options, const models::Model& model, const comm::Communicator& communicator) {
  if (!device_of(model).is_cpu()) return 1;  // a GPU computes one grain after the other
  return options.threads > 0 ? static_cast<int>(options.threads) : parallel::cores_per_rank(communicator.local_size());
}

/// How many grains each of this rank's threads computes, at most.
std::int64_t rounds_of(std::int64_t grains, const parallel::WorkerPool& workers,
                       const comm::Communicator& communicator) {
  const std::int64_t mine = parallel::grains_of_rank(grains, communicator.rank(), communicator.size()).size();
  return (mine + workers.threads() - 1) / workers.threads();
}

std::vector<std::int64_t> sizes_of(const models::Model& model) {
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model.parameters()) sizes.push_back(parameter.value.numel());
  return sizes;
}

/// How the run is to end after these steps, when a signal or the time limit wants it to.
std::optional<Ending> ending_of(Word word) {
  switch (word) {
    case Word::kStop:
      return Ending::kCalledOff;
    case Word::kFinish:
      return Ending::kEnough;
    case Word::kGoOn:
      break;
  }
  return std::nullopt;
}

std::optional<Ending> asked_to_end(const std::vector<StepOutcome>& outcomes) {
  std::optional<Ending> asked;
  for (const StepOutcome& outcome : outcomes) {
    if (outcome.facts.out_of_time) asked = Ending::kOutOfTime;
    if (const auto ending = ending_of(outcome.facts.word)) asked = ending;
    if (outcome.facts.signal != 0) return Ending::kInterrupted;
  }
  return asked;
}

}  // namespace

/// Where the time went since the last line of the log.
struct Trainer::Clock {
  using steady = std::chrono::steady_clock;
  steady::time_point session = steady::now();
  steady::time_point last_report = session;
  std::int64_t last_tokens = 0;
  double last_data_wait = 0;
  double last_communication_wait = 0;

  double session_seconds() const { return std::chrono::duration<double>(steady::now() - session).count(); }
};

Trainer::Trainer(const Experiment& experiment, const data::Pack& pack, models::Model& model,
                 comm::Communicator& communicator, const run::RunFolder& folder, RunLog& log,
                 std::optional<double> peak_flops)
    : experiment_(experiment),
      pack_(pack),
      model_(model),
      communicator_(communicator),
      folder_(folder),
      log_(log),
      order_(order_of(experiment.data, model)),
      plan_(training_plan(experiment, pack, order_)),
      steps_(steps_of(experiment.train, *plan_)),
      grains_(experiment.train.global_batch / experiment.train.micro_batch),
      workers_(threads_of(experiment.train, model, communicator)),
      optimizer_(make_optimizer(model.parameters(), experiment.train, workers_)),
      reducer_(communicator, sizes_of(model), grains_,
               {experiment.train.reduction, static_cast<std::int64_t>(experiment.train.bucket_mib * 1024 * 1024),
                device_of(model)}),
      updater_(on_gpu() ? make_late_updater(*optimizer_, communicator, experiment.train.clip)
                        : make_updater(*optimizer_, communicator, workers_, experiment.train.clip)),
      schedule_(experiment.train, steps_, evaluate::more_is_better(experiment.stop.metric), experiment.stop.min_delta),
      stopping_(experiment.stop),
      rank_times_(rounds_of(grains_, workers_, communicator)),
      store_(folder.checkpoints(), experiment.checkpoint, evaluate::more_is_better(experiment.stop.metric)),
      flops_per_token_(model.training_flops_per_token(experiment.data.sequence_length)),
      peak_flops_(peak_flops),
      clock_(std::make_unique<Clock>()) {
  // The optimizer has its float32 masters by now; the workers' models must share what the model will compute with.
  if (experiment.train.precision == Precision::kBfloat16) models::set_matrix_dtype(model, at::kBFloat16);
  if (walks_in_lanes() && model.remembers()) {
    lanes_ =
        std::make_unique<Lanes>(model, grains_, experiment.train.micro_batch, communicator.rank(), communicator.size());
  }
  runner_ = std::make_unique<GrainRunner>(model, workers_, reducer_, lanes_.get());
}

Trainer::~Trainer() = default;

bool Trainer::on_gpu() const { return !device_of(model_).is_cpu(); }

void Trainer::start_from(const models::NamedTensors& weights, const std::string& place) {
  optimizer_->load_weights(weights, place);
}

Ending Trainer::train() {
  const TrainOptions& options = experiment_.train;
  const Interruption interruption(options.time_limit);
  const parallel::GrainRange mine = parallel::grains_of_rank(grains_, communicator_.rank(), communicator_.size());
  data::Loader loader(pack_, data::Split::kTrain, *plan_, options.micro_batch, {mine.begin, mine.end}, step_);
  *clock_ = Clock{.last_tokens = tokens_};
  log_.begin(steps_, step_);

  Ending ending = Ending::kFinished;
  while (step_ < steps_) {
    begin_step();
    enter(step_ + 1, "waiting for data");
    const data::StepData batch = loader.next();

    // Forward and backward of this rank's grains; gradients travel in buckets while backward still runs.
    enter(step_ + 1, "computing");
    reducer_.begin();
    rank_times_.start();
    const std::vector<GrainResult> results = runner_->run(batch, experiment_.seed(), options.label_smoothing);
    rank_times_.stop();
    StepFacts own{.signal = interruption.signal(),
                  .out_of_time = interruption.out_of_time(),
                  .word = overseer_ != nullptr ? overseer_->word() : Word::kGoOn};
    for (std::size_t i = 0; i < results.size(); ++i) own.count(mine.begin + static_cast<std::int64_t>(i), results[i]);
    // In this order on every rank: the reducer's collectives are all posted before the agreement's.
    enter(step_ + 1, "waiting for gradients");
    const std::vector<at::Tensor>& gradients = reducer_.finish();

    // The update: the same bits on every rank. On a GPU what came of it is known a step later.
    enter(step_ + 1, "updating the weights");
    tokens_ += batch.counted;
    std::vector<StepOutcome> known = updater_->end_step(
        {.step = step_, .counted = batch.counted, .cells = batch.cells, .tokens = tokens_, .lr = schedule_.lr(step_)},
        {own, runner_->late(), mine.begin, gradients});
    ++step_;

    // Looking up from the work: tell, measure, keep, stop. What looks at the weights wants to know all about them.
    enter(step_, "telling");
    const bool last = step_ == steps_;
    const bool due = experiment_.evaluate.every > 0 && step_ % experiment_.evaluate.every == 0;
    const bool keep = experiment_.checkpoint.every > 0 && step_ % experiment_.checkpoint.every == 0;
    if (due || keep || last || asked_to_end(known)) std::ranges::move(updater_->rest(), std::back_inserter(known));
    for (const StepOutcome& outcome : known) {
      if (!may_go_on(outcome)) {
        step_ = outcome.step;
        ending = Ending::kNonFinite;
        break;
      }
      report_step(outcome, loader);
    }
    if (ending == Ending::kNonFinite) break;
    const std::optional<Evaluation> found = due || last ? evaluate() : std::nullopt;
    const std::optional<double> metric = found ? std::optional(found->metric) : std::nullopt;
    if (metric && stopping_.should_stop()) ending = Ending::kStoppedEarly;
    if (const auto asked = asked_to_end(known); asked && !last) ending = *asked;
    if (const auto asked = found ? ending_of(found->word) : std::nullopt; asked && !last) ending = *asked;
    if (keep || last || ending != Ending::kFinished || (metric && among_the_best(*metric))) save(metric);
    if (ending != Ending::kFinished) break;
  }
  phase_.reset();
  if (profiler_) profiler_->training_ends();
  log_.end();
  if (ending == Ending::kFinished || ending == Ending::kStoppedEarly || ending == Ending::kEnough)
    choose_final_weights();
  return ending;
}

void Trainer::profile(std::int64_t steps) {
  profiler_ = std::make_unique<StepProfiler>(steps, communicator_, folder_, log_);
}

void Trainer::begin_step() {
  phase_.reset();
  if (profiler_) profiler_->step_begins();
}

void Trainer::enter(std::int64_t step, const char* doing) {
  communicator_.describe(step, doing);
  phase_.emplace(doing);
}

bool Trainer::may_go_on(const StepOutcome& outcome) {
  if (outcome.usable()) {
    if (skipped_in_a_row_ > 1) {
      log_.info(fmt::format("step {}: finite again, after {} skipped steps", outcome.step + 1, skipped_in_a_row_));
    }
    skipped_in_a_row_ = 0;
    return true;
  }
  const bool stop = experiment_.train.non_finite == NonFinite::kStop || ++skipped_in_a_row_ >= kMostSkipped;
  if (skipped_in_a_row_ > 1 && !stop) return true;  // a series is told of where it begins and where it ends
  const StepFacts& facts = outcome.facts;
  const std::string what =
      facts.bad_grains > 0
          ? fmt::format("{} of {} micro-batches have a loss or gradient that is not finite, first {}", facts.bad_grains,
                        grains_, name_bad_sequences(outcome.step, facts.first_bad_grain))
          : std::string(on_gpu() ? "the gradient is not finite, though every loss is"
                                 : "the gradient is too large for its norm to be a finite number");
  const std::string then = !stop ? "all ranks skip the step"
                           : skipped_in_a_row_ > 1
                               ? fmt::format("stopped, after {} such steps in a row", skipped_in_a_row_)
                               : "stopped";
  log_.warning(fmt::format("step {}: {}; {}. A lower train.lr, train.clip or a longer train.warmup may help.",
                           outcome.step + 1, what, then));
  return !stop;
}

std::string Trainer::name_bad_sequences(std::int64_t step, std::int64_t grain) {
  // Every rank has the same weights and can read every grain, so rank 0 looks at the rows one by one by itself.
  if (communicator_.rank() != 0) return "";
  std::vector<std::string> bad, all;
  for (std::int64_t row = 0; row < experiment_.train.micro_batch; ++row) {
    const std::int64_t at = grain * experiment_.train.micro_batch + row;
    data::Loader loader(pack_, data::Split::kTrain, *plan_, 1, {at, at + 1}, step, 1);
    const data::StepData one = loader.next();
    all.push_back(data::name_of(pack_, data::Split::kTrain, one.grains.front().sequences.front()));
    if (!std::isfinite(runner_->loss_alone(one.grains.front()))) bad.push_back(all.back());
  }
  // Dropout may have had a part in it: then no row is bad alone, and the micro-batch is named whole.
  return fmt::format("in {}", fmt::join(bad.empty() ? all : bad, "; "));
}

void Trainer::report_step(const StepOutcome& outcome, const data::Loader& loader) {
  const std::int64_t done = outcome.step + 1;
  if (done % experiment_.train.log_every != 0 && done != steps_) return;
  const auto now = Clock::steady::now();
  const double passed = std::max(1e-9, std::chrono::duration<double>(now - clock_->last_report).count());
  const double data_wait = loader.waited(), communication_wait = reducer_.seconds_waited();
  // The sum leaves out grains that are not finite: of a batch that has one there is no mean to tell.
  const auto counted = static_cast<double>(std::max<std::int64_t>(1, outcome.counted));
  const auto mean = [&](double sum) {
    return outcome.facts.bad_grains > 0 ? std::numeric_limits<double>::quiet_NaN() : sum / counted;
  };
  const double pace = static_cast<double>(outcome.tokens - clock_->last_tokens) / passed;
  log_.step({.step = done,
             .epoch = plan_->epochs_after(done),
             .loss = mean(outcome.facts.loss_sum()),
             .memory_loss =
                 outcome.facts.memory_grains > 0 ? std::optional(mean(outcome.facts.memory_loss_sum())) : std::nullopt,
             .padding = 1.0 - static_cast<double>(outcome.counted) / static_cast<double>(outcome.cells),
             .norm = outcome.norm,
             .lr = outcome.lr,
             .tokens = outcome.tokens,
             .seconds = seconds_before_ + clock_->session_seconds(),
             .tokens_per_second = pace,
             .mfu = peak_flops_ ? std::optional(pace * flops_per_token_ / (*peak_flops_ * communicator_.size()))
                                : std::nullopt,
             .ranks = communicator_.size() > 1 ? std::optional(rank_times_.gather(communicator_)) : std::nullopt,
             .data_wait = (data_wait - clock_->last_data_wait) / passed,
             .communication_wait = (communication_wait - clock_->last_communication_wait) / passed});
  if (const auto news = rank_times_.news()) log_.warning(*news);
  clock_->last_report = now;
  clock_->last_tokens = outcome.tokens;
  clock_->last_data_wait = data_wait;
  clock_->last_communication_wait = communication_wait;
}

std::optional<Trainer::Evaluation> Trainer::evaluate() {
  if (pack_.pieces(data::Split::kValidation).empty()) return std::nullopt;
  enter(step_, "evaluating");
  const auto before = Clock::steady::now();
  const evaluate::Tally tally = evaluate::evaluate(runner_->models(), pack_,
                                                   {.split = data::Split::kValidation,
                                                    .sequence_length = experiment_.data.sequence_length,
                                                    .rows = experiment_.train.micro_batch,
                                                    .batches = experiment_.evaluate.batches},
                                                   communicator_, workers_);
  const evaluate::Metrics found = evaluate::metrics(tally);
  const double metric = evaluate::value_of(found, experiment_.stop.metric);
  const bool best = stopping_.observe(step_, metric);
  log_.evaluation(step_, plan_->epochs_after(step_), tally, pack_, best);
  if (log_.wants_weights()) log_.weights(step_, weight_distributions(model_.parameters()));
  if (after_evaluation_) after_evaluation_(step_);
  if (schedule_.observe(metric)) {
    log_.info(fmt::format("step {}: {} has not improved; learning rate now {:.2e}", step_, experiment_.stop.metric,
                          schedule_.lr(step_)));
  }
  Word word = Word::kGoOn;
  if (overseer_ != nullptr) word = agree(communicator_, overseer_->evaluated(step_, evaluate::by_name(found)));
  clock_->last_report += Clock::steady::now() - before;  // the pace shown is the pace of training
  return Evaluation{metric, word};
}

bool Trainer::among_the_best(double metric) {
  // Rank 0 alone looks at the disk: another rank might look after it has changed.
  std::string answer;
  if (communicator_.rank() == 0) answer = store_.would_be_kept(metric) ? "yes" : "no";
  return comm::broadcast_text(communicator_, answer) == "yes";
}

void Trainer::save(std::optional<double> metric) {
  models::NamedTensors lanes;
  if (lanes_) lanes = lanes_->gather(communicator_);
  if (communicator_.rank() == 0) {
    enter(step_, "writing a checkpoint");
    const auto before = Clock::steady::now();
    store_.save({.step = step_,
                 .model = optimizer_->weights(),
                 .model_config = model_.hugging_face_config(),
                 .optimizer = optimizer_->state(),
                 .lanes = std::move(lanes),
                 .state = {{"made_from", made_from()},
                           {"tokens", tokens_},
                           {"seconds", seconds_before_ + clock_->session_seconds()},
                           {"skipped_in_a_row", skipped_in_a_row_},
                           {"schedule", schedule_.state()},
                           {"stopping", stopping_.state()}},
                 .metric = metric});
    clock_->last_report += Clock::steady::now() - before;
  }
}

nlohmann::json Trainer::made_from() const {
  models::ModelOptions model = experiment_.model;
  config::Section section;
  models::describe(section, model);
  return {{"the pack (its hash)", pack_.hash()},
          {"seed", experiment_.seed()},
          {"data.sequence_length", experiment_.data.sequence_length},
          {"data.order", walks_in_lanes() ? "lanes" : "shuffled"},
          {"data.transpose.semitones", experiment_.data.transpose.semitones},
          {"data.transpose.where", experiment_.data.transpose.where},
          {"train.global_batch", experiment_.train.global_batch},
          {"train.micro_batch", experiment_.train.micro_batch},
          {"model", config::to_yaml(section)}};
}

bool Trainer::resume() {
  std::string newest;
  if (communicator_.rank() == 0) {
    const auto found = store_.load_newest(
        [&](const std::string& why) { log_.warning(fmt::format("{}; going back to an earlier checkpoint", why)); });
    if (found) newest = store_.folder_of(found->step).string();
  }
  newest = comm::broadcast_text(communicator_, newest);
  if (newest.empty()) {
    log_.info("no checkpoint yet: the run starts at its beginning");
    if (communicator_.rank() == 0) log::JsonLines::truncate_after(folder_.metrics(), 0);
    return false;
  }
  take_up(newest);
  if (communicator_.rank() == 0) log::JsonLines::truncate_after(folder_.metrics(), step_);
  log_.info(fmt::format("resumed at step {} of {} from {}", step_, steps_, newest));
  return true;
}

void Trainer::go_on_from(const run::RunFolder& other) {
  const std::string checkpoint = checkpoint::find_checkpoint(other.checkpoints(), "last").string();
  take_up(checkpoint);
  if (step_ >= steps_) {
    throw UsageError(
        fmt::format("{}: has come to step {} already, and train.steps is {}: nothing is left to train; "
                    "raise train.steps, or take over its weights alone with train.init_from",
                    checkpoint, step_, steps_));
  }
  log_.info(fmt::format("going on from step {} of {}", step_, checkpoint));
}

void Trainer::take_up(const std::string& checkpoint) {
  const checkpoint::Snapshot snapshot = checkpoint::read_snapshot(checkpoint);
  const nlohmann::json now = made_from();
  std::string differing;
  for (const auto& [what, value] : snapshot.state.at("made_from").items()) {
    if (now.at(what) != value)
      differing += fmt::format("\n  {}: was {}, is {}", what, value.dump(), now.at(what).dump());
  }
  if (!differing.empty()) {
    throw UsageError(
        fmt::format("{}: was made by a run that differs in what decides its result, so it cannot go on "
                    "from there:{}\nPut these back, or start another run (train.init_from takes over "
                    "weights).",
                    checkpoint, differing));
  }
  optimizer_->load_weights(snapshot.model, checkpoint);
  optimizer_->load_state(snapshot.optimizer, checkpoint);
  if (lanes_) lanes_->load(snapshot.lanes, checkpoint);
  schedule_.load_state(snapshot.state.at("schedule"));
  stopping_.load_state(snapshot.state.at("stopping"));
  step_ = snapshot.step;
  tokens_ = snapshot.state.at("tokens").get<std::int64_t>();
  seconds_before_ = snapshot.state.at("seconds").get<double>();
  skipped_in_a_row_ = snapshot.state.at("skipped_in_a_row").get<std::int64_t>();
}

void Trainer::choose_final_weights() {
  if (communicator_.rank() != 0) return;
  const auto best = store_.best_first();
  const bool take_best = experiment_.stop.load_best_at_end && !best.empty();
  const std::filesystem::path chosen = take_best ? best.front() : store_.newest_first().front();
  checkpoint::point_link(folder_.checkpoints(), "final", chosen);
  const std::int64_t step = checkpoint::read_manifest(chosen).step;
  const auto measured = folder_.evaluations() / fmt::format("step-{:08}.json", step);
  if (std::filesystem::exists(measured)) {
    evaluate::write_result(folder_.evaluation(), "validation", nlohmann::json::parse(files::read(measured)));
  }
  if (overseer_ != nullptr) overseer_->finished(step);
  log_.info(fmt::format("final weights: {} of step {}, {}", take_best ? "the best" : "the last", step,
                        (folder_.checkpoints() / "final" / "model.safetensors").string()));
}

}  // namespace etude::train
