#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/request.h"
#include "framework/config/error.h"
#include "framework/train/experiment.h"
#include "launch/array.h"
#include "launch/launcher.h"
#include "launch/supervisor.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path experiment;
  fs::path cluster;
  std::vector<std::string> cluster_assignments;
  std::vector<std::string> assignments;
  std::vector<std::string> array;
  std::int64_t nodes = 0;
  launch::Wishes wishes;
  bool print = false;
  bool detach = false;
  bool follow = false;
};

launch::Request request(const Arguments& arguments, const launch::Member& member, bool shares_files) {
  std::vector<std::string> assignments = arguments.assignments;
  assignments.insert(assignments.end(), member.assignments.begin(), member.assignments.end());
  train::Experiment experiment = train::load_experiment(arguments.experiment, assignments);
  experiment.name += member.suffix;
  experiment.run += member.suffix;
  return request_for(std::move(experiment), arguments.experiment, shares_files);
}

std::unique_ptr<launch::Cluster> read_cluster(const Arguments& arguments) {
  std::vector<std::string> assignments = arguments.cluster_assignments;
  if (arguments.nodes > 0) assignments.push_back(fmt::format("nodes={}", arguments.nodes));
  return launch::load_cluster(arguments.cluster, assignments);
}

void say(const launch::Launched& launched) {
  const launch::Job& job = launched.job;
  const auto where = launch::look(job).where;
  if (launched.found) {
    fmt::print("{} is under way already ({}), so it was not started again\n", job.name, where);
  } else {
    fmt::print("{} submitted ({}); run folder {}\n", job.name, where, job.run.string());
  }
}

void run_launch(const Arguments& arguments) {
  if (arguments.wishes.resume && arguments.wishes.overwrite) {
    throw UsageError("--resume and --overwrite cannot both be given");
  }
  const auto cluster = read_cluster(arguments);
  const launch::Engine& engine = cluster->engine_in_use();
  std::vector<launch::Request> requests;
  for (const launch::Member& member : launch::members(arguments.array)) {
    requests.push_back(request(arguments, member, engine.shares_files()));
  }
  if (arguments.wishes.limits.cost > 0 && cluster->price.per_node_hour <= 0) {
    throw UsageError("--max-cost needs to know what a node costs: price: {per_node_hour: …} in the cluster file");
  }
  launch::settle(*cluster, requests);
  if (arguments.print) {
    fmt::print("{}", launch::preview(*cluster, requests, arguments.wishes));
    return;
  }
  const std::vector<launch::Launched> launched = launch::launch(*cluster, requests, arguments.wishes);
  std::for_each(launched.begin(), launched.end(), say);
  const launch::Job& job = launched.front().job;
  const bool here = cluster->engine == "local" && launched.size() == 1 && !arguments.detach;
  if (!here && !arguments.follow) {
    fmt::print("'etude jobs' shows how {}, 'etude jobs follow {}' what it prints\n",
               launched.size() == 1 ? "it stands" : "they stand", job.name);
    return;
  }
  if (const int code = follow(job, here && !launched.front().found); code != 0) throw ExitCode{code};
}

void run_doctor(const Arguments& arguments) {
  const auto cluster = read_cluster(arguments);
  launch::settle(*cluster, {});
  bool well = true;
  for (const launch::Finding& finding : cluster->engine_in_use().examine(*cluster)) {
    fmt::print("{}  {}\n", finding.good ? "ok     " : "MISSING", finding.what);
    if (!finding.good) fmt::print("         → {}\n", finding.way_out);
    well = well && finding.good;
  }
  if (!well) throw ExitCode{1};
  fmt::print("All that {} needs is there.\n",
             arguments.cluster.empty() ? "training on this machine" : arguments.cluster.string());
}

void add_where(CLI::App& command, Arguments& arguments) {
  add_cluster_options(command, arguments.cluster, arguments.cluster_assignments);
  command.add_option("--nodes", arguments.nodes, "Machines for one run, instead of what the cluster file says")
      ->check(CLI::Range(1, 100'000));
}

}  // namespace

void add_cluster_options(CLI::App& command, fs::path& cluster, std::vector<std::string>& assignments) {
  command
      .add_option(
          "--cluster", cluster,
          "Where to compute, a YAML file ('etude explain --cluster' lists its keys); this machine when left out")
      ->type_name("FILE");
  command.add_option("--cluster-set", assignments, "Another value for one key of the cluster file")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
}

void add_launch_limits(CLI::App& command, launch::Limits& limits) {
  command
      .add_option("--max-hours", limits.hours,
                  "Stop with a checkpoint after so many hours of training, all attempts together")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--max-cost", limits.cost,
                  "Stop with a checkpoint when so much money is spent (price in the cluster file)")
      ->check(CLI::PositiveNumber);
}

void add_launch(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("launch", "Start training here, on hosts, Slurm, Kubernetes or a cloud, and look after it");
  command->add_option("experiment", arguments->experiment, "The experiment, a YAML file")->type_name("FILE");
  add_where(*command, *arguments);
  command->add_option("--set", arguments->assignments, "Another value for one key of the experiment (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--array", arguments->array,
                   "One run for each value: seed=1..5, or train.lr=1e-3,3e-4 (repeatable: all combinations)")
      ->type_name("KEY=VALUES")
      ->allow_extra_args(false)
      ->take_all();
  add_launch_limits(*command, arguments->wishes.limits);
  command->add_flag("--resume", arguments->wishes.resume, "Go on with the run that the folder holds");
  command->add_flag("--overwrite", arguments->wishes.overwrite, "Throw away the run that the folder holds");
  command->add_flag("--print", arguments->print, "Print the job script or manifest, and start nothing");
  command->add_flag("--detach", arguments->detach, "Leave it in the background, on this machine too");
  command->add_flag("--follow", arguments->follow, "Show what it prints until it ends, on a cluster too");
  command->footer(
      "On this machine it shows what the run prints, and Ctrl-C ends the run with a checkpoint. Everywhere the run\n"
      "goes on when this program or its terminal is closed. A run that is under way is never started twice: launch it\n"
      "again to find it.");

  auto of_doctor = std::make_shared<Arguments>();
  CLI::App* doctor =
      command->add_subcommand("doctor", "Say what is missing, here or at the cluster, and how to get it");
  add_where(*doctor, *of_doctor);
  doctor->callback([of_doctor] { run_doctor(*of_doctor); });
  command->callback([arguments, doctor] {
    if (doctor->parsed()) return;
    if (arguments->experiment.empty()) {
      throw UsageError("what is to be launched? etude launch EXPERIMENT.yaml [--cluster CLUSTER.yaml]");
    }
    run_launch(*arguments);
  });
}

void add_supervise(CLI::App& app) {
  auto order = std::make_shared<fs::path>();
  CLI::App* command =
      app.add_subcommand("supervise", "Look after a launched run from within its job; job scripts call this");
  command->add_option("job", *order, "The folder job/ of the run")->required()->type_name("FOLDER");
  command->callback([order] {
    if (const int code = launch::supervise(*order); code != 0) throw ExitCode{code};
  });
}

}  // namespace etude::cli
