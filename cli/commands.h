#pragma once

#include <CLI/CLI.hpp>

namespace etude::cli {

// Each adds one subcommand: its flags, its help, and the callback that runs it. Callbacks throw; main() turns what they
// throw into a message and an exit code. Exit codes other than 0, 1 and 2 are thrown as ExitCode.
void add_pack(CLI::App& app);
void add_train(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_generate(CLI::App& app);
void add_inspect(CLI::App& app);
void add_explain(CLI::App& app);
void add_completion(CLI::App& app);

struct ExitCode {
  int code = 0;
};

}  // namespace etude::cli
