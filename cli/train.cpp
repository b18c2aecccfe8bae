#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/ranks.h"
#include "cli/sample_piece.h"
#include "cli/staging.h"
#include "framework/comm/communicator.h"
#include "framework/config/error.h"
#include "framework/device/device.h"
#include "framework/files/files.h"
#include "framework/log/format.h"
#include "framework/log/tensorboard/tensorboard.h"
#include "framework/parallel/worker_pool.h"
#include "framework/run/environment.h"
#include "framework/track/trackers.h"
#include "framework/train/background_floor.h"
#include "framework/train/trained_model.h"
#include "framework/train/trainer.h"
#include "report/metrics_reader.h"
#include "report/standing.h"
#include "report/surroundings.h"
#include "sweep/reporter.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kFailure = 1;
constexpr std::size_t kWholeCurves = std::numeric_limits<std::size_t>::max();

struct Arguments {
  fs::path experiment;
  std::vector<std::string> assignments;
  bool resume = false;
  bool overwrite = false;
  fs::path stage;            ///< on the node's own disk, for copies of packs; empty: packs are read where they are
  std::int64_t profile = 0;  ///< steps; 0 for none
};

/// Refuses to start when ranks were given different programs, configurations or data: they would hang or, worse, train.
void check_that_ranks_agree(comm::Communicator& communicator, const train::Experiment& experiment,
                            const data::Pack& pack, const device::Seat& seat) {
  Facts facts{{"the program", run::build()},
              {"LibTorch", run::libtorch()},
              {"the pack", pack.hash()},
              {"the kind of device", seat.device.is_cpu() ? "CPU" : "GPU"}};
  const Facts settings = train::settings(experiment);
  facts.insert(facts.end(), settings.begin(), settings.end());
  const std::vector<std::string> lines = differing(communicator, facts);
  if (lines.empty()) return;
  throw UsageError(
      fmt::format("the ranks were not given the same; start all of them with one program, experiment and pack\n  {}",
                  fmt::join(lines, "\n  ")));
}

/// Trains all the same, but not to the bits that either kind of processor would come to alone.
void warn_of_different_processors(comm::Communicator& communicator, const device::Seat& seat, train::RunLog& log) {
  const std::string processor = seat.device.is_cpu() ? run::processor() : seat.name;
  for (const std::string& line : differing(communicator, {{"processor", processor}})) {
    log.warning(fmt::format("ranks compute on different processors, so other ranks may come to other bits; {}", line));
  }
}

/// Makes the run folder ready, on rank 0: refuses one that is in use or holds another run.
std::unique_ptr<run::RunLock> prepare(const run::RunFolder& folder, const Arguments& arguments) {
  if (arguments.resume && arguments.overwrite) throw UsageError("--resume and --overwrite cannot both be given");
  const bool used = folder.exists();
  if (used && !arguments.resume && !arguments.overwrite) {
    throw UsageError(
        fmt::format("{}: holds a run already. --resume goes on with it, --overwrite throws it away, --set "
                    "run=… puts this one elsewhere",
                    folder.root().string()));
  }
  folder.create();
  auto lock = std::make_unique<run::RunLock>(folder);
  if (used && arguments.overwrite) {
    folder.clear();
    folder.create();
  }
  return lock;
}

std::int64_t weights_of(const models::Model& model) {
  std::int64_t weights = 0;
  for (const models::Parameter& parameter : model.parameters()) weights += parameter.value.numel();
  return weights;
}

/// Writes down what the run is. Gives its environment.json.
nlohmann::json describe_run(const run::RunFolder& folder, const train::Experiment& experiment, const data::Pack& pack,
                            const models::Model& model, const comm::Communicator& communicator,
                            const device::Seat& seat, int threads) {
  nlohmann::json environment = run::environment(communicator.name(), communicator.size(), threads);
  environment["device"] = seat.name;
  environment["pack"] = pack.hash();
  environment["parameters"] = weights_of(model);
  environment["flops_per_token"] = model.training_flops_per_token(experiment.data.sequence_length);
  files::write_atomically(folder.config(), to_yaml(experiment));
  files::write_atomically(folder.tokenizer(), pack.tokenizer().to_json().dump(1) + "\n");
  files::write_atomically(folder.environment(), environment.dump(2) + "\n");
  return environment;
}

/// Has TensorBoard's files written, and trackers told, as the experiment wants it.
void tell_others(train::RunLog& log, const run::RunFolder& folder, const train::Experiment& experiment,
                 const nlohmann::json& environment) {
  const auto warn = [&log](const std::string& text) { log.warning(text); };
  auto listeners = track::make_trackers(experiment.track, folder.track(), warn);
  if (experiment.track.tensorboard) {
    listeners.push_back(std::make_unique<tensorboard::TensorBoard>(folder.tensorboard(), warn));
  }
  log::RunFacts facts{.name = experiment.name,
                      .folder = fs::absolute(folder.root()).lexically_normal(),
                      .metrics = folder.metrics(),
                      .config = to_yaml(experiment),
                      .settings = train::settings(experiment)};
  for (const auto& [name, value] : environment.items()) {
    facts.circumstances.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  log.tell(std::move(listeners), std::move(facts));
}

std::string summary(const train::Experiment& experiment, const data::Pack& pack, const models::Model& model,
                    const comm::Communicator& communicator, const device::Seat& seat, const train::Trainer& trainer) {
  const std::int64_t grains = experiment.train.global_batch / experiment.train.micro_batch;
  return fmt::format(
      "{}: {} of {} weights, vocabulary {}; {} pieces to learn from in {}; {} step{} of {} sequences of {} "
      "tokens{}, in {} micro-batches; {} rank{} ({}) {} each",
      experiment.name, model.kind(), log::with_thousands(weights_of(model)), model.vocabulary_size(),
      log::with_thousands(std::ssize(pack.pieces(data::Split::kTrain))), pack.folder().string(),
      log::with_thousands(trainer.steps()), trainer.steps() == 1 ? "" : "s", experiment.train.global_batch,
      experiment.data.sequence_length, trainer.walks_in_lanes() ? " (lanes through whole pieces)" : "", grains,
      communicator.size(), communicator.size() == 1 ? "" : "s", communicator.name(),
      seat.device.is_cpu() ? fmt::format("with {} thread{}", trainer.threads(), trainer.threads() == 1 ? "" : "s")
                           : fmt::format("with a GPU ({})", seat.name));
}

std::optional<double> peak_flops(const train::Experiment& experiment, const device::Seat& seat) {
  const double given = experiment.train.peak_tflops;
  return given > 0 ? std::optional(given * 1e12) : device::peak_flops(seat.name);
}

void initialise(train::Trainer& trainer, const train::Experiment& experiment, const data::Pack& pack,
                train::RunLog& log) {
  const fs::path& from = experiment.train.init_from;
  if (const fs::path& other = experiment.train.go_on_from; !other.empty()) {
    if (!from.empty()) throw UsageError("train.init_from and train.go_on_from cannot both be given");
    trainer.go_on_from(run::open_run(other));
    return;
  }
  if (from.empty()) return;
  const fs::path checkpoint = train::find_initial_checkpoint(from);
  if (fs::exists(from / "tokenizer.json")) {
    const auto theirs = train::load_tokenizer(run::RunFolder(from));
    if (theirs->vocabulary().tokens() != pack.vocabulary().tokens()) {
      throw UsageError(fmt::format("train.init_from: {} was trained on another vocabulary than that of {}",
                                   from.string(), pack.folder().string()));
    }
  }
  trainer.start_from(train::read_initial_weights(checkpoint), checkpoint.string());
  log.info(fmt::format("starting from the weights of {}", checkpoint.string()));
}

log::State state_of(train::Ending ending) {
  switch (ending) {
    case train::Ending::kFinished:
    case train::Ending::kStoppedEarly:
    case train::Ending::kEnough:
      return log::State::kFinished;
    case train::Ending::kCalledOff:
    case train::Ending::kInterrupted:
    case train::Ending::kOutOfTime:
      return log::State::kStopped;
    case train::Ending::kNonFinite:
      break;
  }
  return log::State::kFailed;
}

/// Says what the loss means, in a line.
void tell_standing(const run::RunFolder& folder, train::RunLog& log) {
  try {
    const report::History history = report::read_history(files::read(folder.metrics()), kWholeCurves);
    const report::Standing stands = report::standing(history, report::Neighbourhood().of(folder.root()));
    if (!stands.sentences.empty()) log.info(fmt::format("{}", fmt::join(stands.sentences, " ")));
  } catch (const Error& error) {
    log.warning(error.what());  // what was trained is trained
  }
}

void finish(train::Ending ending, const train::Trainer& trainer, const run::RunFolder& folder, train::RunLog& log) {
  const std::string how_on = fmt::format("'etude train … --resume' goes on from step {}", trainer.steps_done());
  const std::string next = fmt::format("next: etude evaluate {} --split test", folder.root().string());
  switch (ending) {
    case train::Ending::kFinished:
      log.info(fmt::format("finished: {} steps", trainer.steps_done()));
      log.info(next);
      return;
    case train::Ending::kStoppedEarly:
      log.info(fmt::format("stopped early at step {}: {} evaluations without improvement; best {:.4f} at step {}",
                           trainer.steps_done(), trainer.stopping().without_improvement(),
                           trainer.stopping().best().value_or(0), trainer.stopping().best_step()));
      log.info(next);
      return;
    case train::Ending::kEnough:
      log.info(fmt::format("enough at step {}, says who looks after it", trainer.steps_done()));
      log.info(next);
      return;
    case train::Ending::kCalledOff:
      log.info(fmt::format("called off by who looks after it; {}", how_on));
      throw ExitCode{kCalledOff};
    case train::Ending::kInterrupted:
      log.info(fmt::format("interrupted; {}", how_on));
      throw ExitCode{kResumeMe};
    case train::Ending::kOutOfTime:
      log.info(fmt::format("train.time_limit reached; {}", how_on));
      throw ExitCode{kResumeMe};
    case train::Ending::kNonFinite:
      log.error("training stopped: loss or gradient not finite (see above); the last checkpoint is from before");
      throw ExitCode{kFailure};
  }
}

/// Whoever looks after this run from outside, if the environment names one; the same for all ranks.
std::unique_ptr<train::Overseer> oversee(const run::RunFolder& folder, bool first) {
  const auto trial = sweep::trial_of_environment();
  if (!trial) return nullptr;
  if (!first) return std::make_unique<train::SilentOverseer>();
  return std::make_unique<sweep::Reporter>(*trial, folder.metrics());
}

void train_with(comm::Communicator& host, const Arguments& arguments) {
  if (std::getenv("ETUDE_SHARE_CORES") != nullptr) parallel::take_share_of_cores(host.local_rank(), host.local_size());
  const train::Experiment experiment = train::load_experiment(arguments.experiment, arguments.assignments);
  const run::RunFolder folder(experiment.run);
  const OpenedPack opened = open_pack(host, experiment.data.pack, arguments.stage);
  const data::Pack& pack = opened.pack;
  watch_collectives(host, experiment.train.collective_timeout, folder);
  const device::Seat seat = device::choose_seat(experiment.train.device, host.local_rank(), warn_of_device);
  check_that_ranks_agree(host, experiment, pack, seat);
  const auto gpus = device::connect(host, seat);
  comm::Communicator& communicator = gpus ? *gpus : host;
  if (gpus) watch_collectives(communicator, experiment.train.collective_timeout, folder);

  const bool first = communicator.rank() == 0;
  const auto lock = first ? prepare(folder, arguments) : nullptr;
  communicator.barrier();
  train::RunLog log(first ? std::optional(folder) : std::nullopt);
  for (const std::string& warning : opened.warnings) log.warning(warning);
  if (!opened.remark.empty()) log.info(opened.remark);

  const auto model = models::make_model(experiment.model, pack.vocabulary().size(), experiment.data.sequence_length,
                                        experiment.seed());
  models::move_to(*model, seat.device);
  if (!seat.device.is_cpu() && experiment.train.reduction == parallel::Reduction::kTree) {
    device::ask_for_repeatable_kernels();
  }
  train::Trainer trainer(experiment, pack, *model, communicator, folder, log, peak_flops(experiment, seat));
  warn_of_different_processors(host, seat, log);
  log.info(summary(experiment, pack, *model, communicator, seat, trainer));
  const bool goes_on = arguments.resume && trainer.resume();
  if (!goes_on) initialise(trainer, experiment, pack, log);
  // Only now is it sure that the run can start: before, what the folder says of an earlier one must stand.
  if (first) {
    const auto environment = describe_run(folder, experiment, pack, *model, communicator, seat, trainer.threads());
    tell_others(log, folder, experiment, environment);
  }
  if (pack.pieces(data::Split::kValidation).empty()) {
    log.warning(
        fmt::format("the validation split of {} is empty: nothing is measured while training, so no checkpoint "
                    "is best and stop.patience has no effect",
                    pack.folder().string()));
  }
  if (arguments.profile > 0) trainer.profile(arguments.profile);
  if (first && experiment.track.piece_tokens > 0) {
    if (seat.device.is_cpu()) {
      trainer.after_evaluations([&](std::int64_t step) {
        if (log.wants_pieces()) {
          log.piece(step, sample_piece(*model, pack.tokenizer(), experiment.track.piece_tokens));
        }
      });
    } else {
      log.warning("track.piece_tokens: pieces are made on the CPU alone, and this run computes on a GPU");
    }
  }
  const auto overseer = oversee(folder, first);
  if (overseer) trainer.obey(*overseer);
  // Of a sweep's many trials nobody reads this, and each would count the pack and read all the others anew.
  const bool tells_what_it_means = first && !overseer;
  auto floor = tells_what_it_means ? std::make_unique<train::BackgroundFloor>(pack, folder, log) : nullptr;
  const train::Ending ending = trainer.train();
  log.ended(state_of(ending));
  floor.reset();  // so that what it has found can be told of
  if (tells_what_it_means && state_of(ending) == log::State::kFinished) tell_standing(folder, log);
  finish(ending, trainer, folder, log);
}

}  // namespace

void add_train(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("train", "Train a model as an experiment file says");
  command
      ->add_option("experiment", arguments->experiment, "The experiment, a YAML file ('etude explain' lists its keys)")
      ->required()
      ->type_name("FILE");
  command->add_option("--set", arguments->assignments, "Another value for one key: --set train.lr=1e-3 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)  // one value each, lest the experiment's name be taken for one
      ->take_all();
  command->add_flag("--resume", arguments->resume,
                    "Go on from the run folder's last checkpoint (start when there is none)");
  command->add_flag("--overwrite", arguments->overwrite, "Throw away the run that the folder holds");
  command
      ->add_option(
          "--stage", arguments->stage,
          "Copy the pack to DIR, on each node's own disk, and read it there; a copy that is whole is used again")
      ->type_name("DIR");
  command
      ->add_flag(
          "--profile{5}", arguments->profile,
          "Tell where the time of 5 steps goes (--profile=N: of N), on each rank; traces go into the run folder's "
          "profile/")
      ->check(CLI::Range(1, 1000));
  command->footer(
      "On several cores or nodes: mpirun -n 4 etude train FILE. The result is the same, bit for bit.\n"
      "Exit codes: 0 done; 1 failed; 2 misuse; 75 run it again with --resume: it was interrupted (signal or\n"
      "train.time_limit) with a checkpoint written, or a rank did not come; 76 a sweep called it off, with a\n"
      "checkpoint. docs/faults.md says more.\n"
      "Under mpirun send SIGUSR1 to mpirun: on Ctrl-C and SIGTERM Open MPI kills the ranks after about a second,\n"
      "whether their checkpoint is written or not.");
  command->callback(
      [arguments] { on_all_ranks([&](comm::Communicator& communicator) { train_with(communicator, *arguments); }); });
}

}  // namespace etude::cli
