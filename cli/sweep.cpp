#include "cli/sweep.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/ranks.h"
#include "cli/request.h"
#include "framework/config/document.h"
#include "framework/evaluate/metrics.h"
#include "framework/files/files.h"
#include "framework/files/posix.h"
#include "framework/log/format.h"
#include "framework/run/environment.h"
#include "framework/train/experiment.h"
#include "launch/core_ledger.h"
#include "launch/launcher.h"
#include "sweep/controller.h"
#include "sweep/parameters.h"
#include "sweep/place.h"
#include "sweep/runner.h"
#include "sweep/server/certificate.h"
#include "sweep/server/server.h"
#include "sweep/storage/storage.h"
#include "sweep/trial_notes.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;
using sweep::SweepFile;
using sweep::TrialState;

constexpr std::chrono::milliseconds kBetweenLooks{500};

struct Arguments {
  fs::path file;
  std::vector<std::string> assignments;
  fs::path cluster;
  std::vector<std::string> cluster_assignments;
  std::int64_t jobs = 0;
  std::string host;
  std::int64_t port = -1;
};

volatile std::sig_atomic_t signals = 0;
void count_signal(int) { signals = signals + 1; }

std::unique_ptr<SweepFile> read_sweep(const Arguments& arguments) {
  auto sweep = load_sweep_file(arguments.file, arguments.assignments);
  if (arguments.jobs > 0) sweep->resources.max_concurrent_trials = arguments.jobs;
  if (!arguments.host.empty()) sweep->controller.host = arguments.host;
  if (arguments.port >= 0) sweep->controller.port = arguments.port;
  return sweep;
}

/// Metrics that only training and evaluating Etude's models give; a controller alone may be told of others.
void check_objectives(const SweepFile& sweep, const fs::path& file) {
  for (const sweep::Objective& objective : sweep.objectives) {
    if (std::ranges::find(evaluate::kMetricNames, objective.name) != evaluate::kMetricNames.end()) continue;
    const std::string near = config::nearest(objective.name, evaluate::kMetricNames);
    throw UsageError(fmt::format("{}: '{}' is nothing that an evaluation measures; {}there are {}", file.string(),
                                 objective.name, near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                                 fmt::join(evaluate::kMetricNames, ", ")));
  }
}

std::unique_ptr<launch::Cluster> read_cluster(const Arguments& arguments, const SweepFile& sweep) {
  auto cluster = launch::load_cluster(arguments.cluster, arguments.cluster_assignments);
  const sweep::Resources& resources = sweep.resources;
  if (resources.ranks_per_trial > 0) {
    if (resources.ranks_per_trial % cluster->nodes != 0) {
      throw UsageError(fmt::format("resources.ranks_per_trial ({}) cannot be dealt to {} nodes evenly",
                                   resources.ranks_per_trial, cluster->nodes));
    }
    cluster->ranks_per_node = resources.ranks_per_trial / cluster->nodes;
  }
  if (cluster->engine == "local" && cluster->cores_per_rank == 0) {
    // Or the first trial would take the machine, and the others wait for it.
    const auto cores = std::ssize(launch::CoreLedger::all_cores());
    const std::int64_t ranks = cluster->ranks_on_each_node() * resources.max_concurrent_trials;
    cluster->cores_per_rank = std::max<std::int64_t>(1, cores / ranks);
  }
  return cluster;
}

void check_budget(const SweepFile& sweep, const launch::Cluster& cluster, const Arguments& arguments) {
  if (sweep.budget.cost <= 0) return;
  const std::string where = arguments.cluster.empty() ? "a cluster file" : arguments.cluster.string();
  if (cluster.price.per_node_hour <= 0) {
    throw UsageError(
        fmt::format("budget.cost needs to know what a node costs: price: {{per_node_hour: …}} in {}", where));
  }
  if (!sweep.budget.currency.empty() && sweep.budget.currency != cluster.price.currency) {
    throw UsageError(fmt::format("budget.cost is in {}, but the price in {} is in {}", sweep.budget.currency, where,
                                 cluster.price.currency));
  }
}

/// A token that stays the same from start to start, for its owner alone to read.
std::string token_of(const SweepFile& sweep) {
  const bool given = !sweep.controller.token_file.empty();
  const fs::path file = given ? sweep.controller.token_file : sweep.folder / "token";
  if (!fs::exists(file)) {
    if (given) throw UsageError(fmt::format("controller.token_file: there is no {}", file.string()));
    files::write_secret(file, sweep::new_token() + "\n");
  }
  std::string token = files::read(file);
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0) token.pop_back();
  if (token.empty())
    throw UsageError(fmt::format("{}: is empty; it is to hold the token that workers show", file.string()));
  return token;
}

bool is_this_machine(const std::string& host) { return host == "127.0.0.1" || host == "::1" || host == "localhost"; }

/// A study being run, and everybody who may turn to it.
class Office {
 public:
  Office(SweepFile& sweep, const std::string& default_host)
      : sweep_(sweep), controller_(sweep, sweep::open_storage(sweep.storage, true), launch::now) {
    controller_.remember(kSweepAttribute, sweep::to_yaml(sweep));
    sweep::ServerOptions options;
    options.host = sweep.controller.host.empty() ? default_host : sweep.controller.host;
    options.certificate = sweep.controller.certificate;
    options.key = sweep.controller.key;
    const bool far = !is_this_machine(options.host);
    if (far || !sweep.controller.token_file.empty()) options.token = token_of(sweep);
    const std::string reached_as = sweep::is_every_address(options.host) ? files::host_name() : options.host;
    if (!options.certificate.empty()) sweep::check_certificate(options.certificate, reached_as);
    open(options);
    place_.token = options.token;
    place_.certificate = options.certificate.empty() ? "" : fs::absolute(options.certificate);
    place_.url = server_->url(reached_as);
    sweep::save(place_, controller_file(sweep));
  }
  ~Office() {
    std::error_code gone;
    fs::remove(controller_file(sweep_), gone);
  }
  Office(const Office&) = delete;
  Office& operator=(const Office&) = delete;

  sweep::Controller& controller() { return controller_; }
  const sweep::Place& place() const { return place_; }

 private:
  /// Where the last one was, if it may be: open pages find it again.
  void open(sweep::ServerOptions options) {
    sweep::ApiParts parts;
    parts.version = run::version();
    parts.folder = [this](std::int64_t number) { return sweep::Runner::folder_of(sweep_, number).string(); };
    parts.yaml = [this](const sweep::Trial& trial) { return experiment_of(sweep_, trial); };
    options.port = static_cast<int>(sweep_.controller.port);
    const int before = options.port == 0 ? last_port() : 0;
    if (before != 0) {
      try {
        options.port = before;
        server_ = std::make_unique<sweep::Server>(controller_, options, parts);
        return;
      } catch (const UsageError&) {
        options.port = 0;  // another has it by now
      }
    }
    server_ = std::make_unique<sweep::Server>(controller_, options, parts);
  }

  int last_port() const {
    try {
      const std::string url = sweep::find_controller(controller_file(sweep_).string()).url;
      return std::stoi(url.substr(url.rfind(':') + 1));
    } catch (const std::exception&) {
      return 0;
    }
  }

  const SweepFile& sweep_;
  sweep::Controller controller_;
  std::unique_ptr<sweep::Server> server_;
  sweep::Place place_;
};

/// Says what becomes of trials, one line each.
class Teller {
 public:
  explicit Teller(sweep::Controller& controller) : controller_(controller) {
    controller_.view([&](const sweep::View& view) { seen_ = states(view); });
  }

  void tell() {
    controller_.view([&](const sweep::View& view) {
      const std::vector<TrialState> now = states(view);
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (!is_over(now[i]) || (i < seen_.size() && seen_[i] == now[i])) continue;
        fmt::print("trial {}: {}\n", i, in_words(view, view.trials[i]));
      }
      std::fflush(stdout);
      seen_ = now;
    });
  }

  /// Whether there is a best trial, or a front of them.
  bool say_how_it_stands() {
    bool has_best = false;
    controller_.view([&](const sweep::View& view) {
      has_best = !view.best.empty();
      std::map<TrialState, int> counts;
      for (const sweep::Trial& trial : view.trials) ++counts[trial.state];
      fmt::print("{}: {} trials, {} complete, {} pruned, {} failed; {:.3g} core-hours", view.sweep.name,
                 view.trials.size(), counts[TrialState::kComplete], counts[TrialState::kPruned],
                 counts[TrialState::kFail], view.spent.core_hours);
      if (view.spent.gpu_hours > 0) fmt::print(", {:.3g} GPU-hours", view.spent.gpu_hours);
      if (view.spent.cost > 0) fmt::print(", {:.2f} {}", view.spent.cost, view.sweep.budget.currency);
      fmt::print("\n");
      if (!view.over.empty()) fmt::print("over: {}\n", view.over);
      for (const std::int64_t number : view.best) {
        const sweep::Trial& trial = view.trials[static_cast<std::size_t>(number)];
        fmt::print("best: trial {}: {}\n", number, in_words(view, trial));
        for (const sweep::Parameter& parameter : trial.parameters) {
          fmt::print("  {}: {}\n", parameter.name, sweep::dump_json(parameter.external()));
        }
      }
    });
    return has_best;
  }

 private:
  static std::vector<TrialState> states(const sweep::View& view) {
    std::vector<TrialState> all;
    for (const sweep::Trial& trial : view.trials) all.push_back(trial.state);
    return all;
  }

  static std::string in_words(const sweep::View& view, const sweep::Trial& trial) {
    std::string words = name_of(trial.state);
    for (std::size_t i = 0; i < trial.values.size() && i < view.sweep.objectives.size(); ++i) {
      words += fmt::format("  {} {:.5g}", view.sweep.objectives[i].name, trial.values[i]);
    }
    const std::string reason = sweep::text_attribute(trial, sweep::kReason);
    if (!reason.empty()) words += fmt::format("  ({})", reason);
    if (view.best.size() == 1 && view.best.front() == trial.number) words += "  best so far";
    return words;
  }

  sweep::Controller& controller_;
  std::vector<TrialState> seen_;
};

void greet(const Office& office) {
  fmt::print("page: {}{}\n", office.place().url,
             office.place().token.empty() ? "" : "  (its token is in controller.json in the sweep's folder)");
  std::fflush(stdout);
}

/// Calls `work` every half second until it says that it is done. What the storage or a cluster refuses is said once
/// and tried again.
void every_half_second(const std::function<bool()>& work) {
  std::string trouble;
  while (true) {
    try {
      if (work()) return;
      if (!trouble.empty()) fmt::print("goes on\n");
      trouble.clear();
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      if (trouble != error.what()) fmt::print(stderr, "sweep: {}; trying again\n", error.what());
      trouble = error.what();
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

void heed_signals() {
  signals = 0;
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, count_signal);
}

void run_sweep(const Arguments& arguments) {
  const auto sweep = read_sweep(arguments);
  check_objectives(*sweep, arguments.file);
  const auto cluster = read_cluster(arguments, *sweep);
  check_budget(*sweep, *cluster, arguments);
  if (sweep->budget.currency.empty()) sweep->budget.currency = cluster->price.currency;
  const bool shared = cluster->engine_in_use().shares_files();
  if (!shared && sweep->controller.host.empty()) {
    throw UsageError(
        fmt::format("engine {}: trials find the controller by its address alone there, so the sweep file "
                    "has to name one that they reach: controller: {{host: …, port: …}}",
                    cluster->engine));
  }
  const auto prepare = [&](const std::vector<std::string>& assignments) {
    return request_for(train::load_experiment(sweep->experiment, assignments), sweep->experiment, shared);
  };
  launch::settle(*cluster, {prepare(sweep->assignments)});  // what cannot be is said before anything is stored

  fs::create_directories(sweep->folder);
  Office office(*sweep, cluster->engine == "local" && arguments.cluster.empty() ? "127.0.0.1" : "0.0.0.0");
  sweep::Controller& controller = office.controller();
  sweep::Runner runner(
      controller, *sweep, [&] { return read_cluster(arguments, *sweep); }, prepare,
      fs::absolute(controller_file(*sweep)));
  Teller teller(controller);
  greet(office);
  heed_signals();
  bool stopping = false;
  every_half_second([&] {
    if (signals > 1) return true;
    if (signals == 1 && !std::exchange(stopping, true)) {
      fmt::print(
          "stopping: trials write a checkpoint and end; the same command goes on. Once more Ctrl-C leaves them "
          "running.\n");
      controller.stop();
    }
    controller.look_around();
    runner.look_around([](const std::string& line) { fmt::print("{}\n", line); });
    teller.tell();
    return controller.finished() && runner.under_way() == 0;
  });
  const bool has_best = teller.say_how_it_stands();
  if (signals > 0) throw ExitCode{kResumeMe};
  const bool same = arguments.assignments.empty();  // the file alone may mean another study
  fmt::print("next: etude sweep {} {}\n", has_best ? "best" : "status",
             same ? arguments.file.string() : fmt::format("{} --storage {}", sweep->name, sweep->storage));
}

void serve_sweep(const Arguments& arguments) {
  const auto sweep = read_sweep(arguments);
  fs::create_directories(sweep->folder);
  Office office(*sweep, "127.0.0.1");
  Teller teller(office.controller());
  greet(office);
  heed_signals();
  every_half_second([&] {
    office.controller().look_around();
    teller.tell();
    return signals > 0;
  });
  teller.say_how_it_stands();
}

void add_common(CLI::App& command, Arguments& arguments) {
  command.add_option("sweep", arguments.file, "The sweep, a YAML file ('etude explain --sweep' lists its keys)")
      ->required()
      ->type_name("FILE");
  command.add_option("--set", arguments.assignments, "Another value for one key of the sweep file (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  command.add_option("--host", arguments.host, "Where the controller listens: an address of this machine")
      ->type_name("HOST");
  command.add_option("--port", arguments.port, "The port it listens at; 0 takes one that is free")
      ->check(CLI::Range(0, 65535));
}

}  // namespace

std::unique_ptr<SweepFile> load_sweep_file(const fs::path& file, const std::vector<std::string>& assignments) {
  train::Experiment experiment;
  config::Section root;
  auto sweep = sweep::load_sweep(file, assignments, [&](const SweepFile& found) -> const config::Section& {
    describe(root, experiment);
    config::load(root, found.experiment);
    return root;
  });
  for (const std::string& warning : sweep->warnings) fmt::print(stderr, "etude: {}\n", warning);
  return sweep;
}

fs::path controller_file(const SweepFile& sweep) { return sweep.folder / "controller.json"; }

std::string experiment_of(const SweepFile& sweep, const sweep::Trial& trial) {
  std::vector<std::string> assignments = sweep.assignments;
  for (const sweep::Parameter& parameter : trial.parameters) {
    // A study of others may have some that are no option of the experiment.
    if (sweep.space.find(parameter.name) == nullptr) continue;
    assignments.push_back(sweep::assignment(parameter.name, parameter.external()));
  }
  const std::string name = fmt::format("{}-trial-{:04}", sweep.name, trial.number);
  assignments.push_back("name=" + sweep::dump_json(name));
  assignments.push_back("run=" + sweep::dump_json("runs/" + name));
  return train::to_yaml(train::load_experiment(sweep.experiment, assignments));
}

void add_sweep(CLI::App& app) {
  CLI::App* command = app.add_subcommand("sweep", "Search hyperparameters over a cluster, within a budget");
  command->require_subcommand(1);

  auto of_run = std::make_shared<Arguments>();
  CLI::App* run =
      command->add_subcommand("run", "Run a sweep: its controller here, its trials where the cluster file says");
  add_common(*run, *of_run);
  add_cluster_options(*run, of_run->cluster, of_run->cluster_assignments);
  run->add_option("--jobs", of_run->jobs, "Trials at once, instead of resources.max_concurrent_trials")
      ->check(CLI::Range(1, 100'000));
  run->footer(
      "Run it again to go on: trials that still run are found, and what was interrupted begins at its checkpoint.\n"
      "Ctrl-C stops the trials with a checkpoint; a second Ctrl-C leaves them running.");
  run->callback([of_run] { run_sweep(*of_run); });

  auto of_serve = std::make_shared<Arguments>();
  CLI::App* serve =
      command->add_subcommand("serve", "The controller alone: an HTTP API for workers of your own, and its page");
  add_common(*serve, *of_serve);
  serve->callback([of_serve] { serve_sweep(*of_serve); });

  add_study_commands(*command);
}

}  // namespace etude::cli
