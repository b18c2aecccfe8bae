#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/commands.h"
#include "framework/config/document.h"
#include "framework/config/error.h"
#include "framework/train/experiment.h"
#include "launch/cluster.h"
#include "sweep/sweep_file.h"

namespace etude::cli {
namespace {

struct Arguments {
  std::string key;
  bool schema = false;
  bool keys = false;
  bool cluster = false;  ///< of a cluster file, not of an experiment
  bool sweep = false;    ///< of a sweep file
};

/// Every key with its sections, one a line: train.lr.
void print_keys(const config::Section& section, const std::string& prefix) {
  for (const config::Option& option : section.options()) fmt::print("{}{}\n", prefix, option.name);
  for (const auto& inner : section.sections()) print_keys(*inner, prefix + inner->name() + ".");
  if (const auto* variant = section.variant()) {
    for (const auto& [name, alternative] : variant->alternatives) print_keys(*alternative, prefix);
  }
}

void explain_sweep(const Arguments& arguments) {
  if (arguments.keys) throw UsageError("--keys goes with experiments and cluster files alone");
  fmt::print("{}", arguments.schema ? sweep::sweep_schema() : sweep::explain_sweep(arguments.key));
}

void run_explain(const Arguments& arguments) {
  if (arguments.sweep) return explain_sweep(arguments);
  train::Experiment experiment;
  launch::Cluster cluster;
  config::Section root;
  if (arguments.cluster) {
    describe(root, cluster);
  } else {
    describe(root, experiment);
  }
  if (arguments.keys) return print_keys(root, "");
  fmt::print("{}", arguments.schema
                       ? config::json_schema(root, arguments.cluster ? "Etude cluster" : "Etude experiment")
                       : config::explain(root, arguments.key));
}

}  // namespace

void add_explain(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("explain", "Say what the options of an experiment mean");
  command->add_option("key", arguments->key, "One option or section: train.lr, model (all when left out)")
      ->type_name("KEY");
  CLI::Option* cluster = command->add_flag("--cluster", arguments->cluster, "The options of a cluster file instead");
  command->add_flag("--sweep", arguments->sweep, "The keys of a sweep file instead")->excludes(cluster);
  command->add_flag("--json-schema", arguments->schema, "Print a JSON Schema for editors instead");
  command->add_flag("--keys", arguments->keys, "Print the keys alone, one a line");
  command->callback([arguments] { run_explain(*arguments); });
}

}  // namespace etude::cli
