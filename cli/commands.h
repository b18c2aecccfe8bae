#pragma once

#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "launch/job.h"

namespace etude::cli {

// Each adds one subcommand: its flags, its help, and the callback that runs it. Callbacks throw; main() turns what they
// throw into a message and an exit code. Exit codes other than 0, 1 and 2 are thrown as ExitCode.
void add_pack(CLI::App& app);
void add_train(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_generate(CLI::App& app);
void add_render(CLI::App& app);
void add_watch(CLI::App& app);
void add_inspect(CLI::App& app);
void add_launch(CLI::App& app);
void add_jobs(CLI::App& app);
void add_sweep(CLI::App& app);
void add_report(CLI::App& app);
void add_supervise(CLI::App& app);
void add_explain(CLI::App& app);
void add_completion(CLI::App& app);

/// The subcommands of `sweep` that look at a study, wherever it is stored.
void add_study_commands(CLI::App& sweep);

/// --cluster and --cluster-set.
void add_cluster_options(CLI::App& command, std::filesystem::path& cluster, std::vector<std::string>& assignments);
/// --max-hours and --max-cost.
void add_launch_limits(CLI::App& command, launch::Limits& limits);

struct ExitCode {
  int code = 0;
};

/// What an exception that ended a command means to a person, and the exit code that goes with it.
std::string in_words(const std::exception& error);
int exit_code_of(const std::exception& error);

}  // namespace etude::cli
