#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "cli/commands.h"
#include "framework/config/document.h"
#include "framework/run/environment.h"
#include "framework/run/memory.h"

namespace {

constexpr int kFailure = 1;
constexpr int kMisuse = 2;

/// A word where a subcommand belongs that is none: CLI11 would only say that one is required.
void check_subcommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == argv[1]) return;
    names.push_back(command->get_name());
  }
  const std::string near = etude::config::nearest(argv[1], names);
  throw etude::UsageError(fmt::format("'{}' is no subcommand; {}there are {}", argv[1],
                                      near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                                      fmt::join(names, ", ")));
}

}  // namespace

namespace etude::cli {

std::string in_words(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) == nullptr) return error.what();
  return "out of memory; a smaller model, train.micro_batch or data.sequence_length needs less";
}

int exit_code_of(const std::exception& error) {
  return dynamic_cast<const UsageError*>(&error) != nullptr ? kMisuse : kFailure;
}

}  // namespace etude::cli

int main(int argc, char** argv) {
  etude::run::keep_freed_memory();
  CLI::App app{"Trains, measures and plays models of symbolic music.", "etude"};
  app.set_version_flag("--version", etude::run::version());
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  app.footer(
      "The way of the data:\n"
      "  etude pack --input ~/midi --output packs/mine\n"
      "  etude launch experiment.yaml [--cluster CLUSTER.yaml]   (or: mpirun -n 2 etude train experiment.yaml)\n"
      "  etude evaluate runs/NAME --split test\n"
      "  etude generate runs/NAME --bars 16 --output new.mid\n"
      "'etude SUBCOMMAND --help' says more; 'etude explain' lists every option of an experiment.");
  etude::cli::add_pack(app);
  etude::cli::add_train(app);
  etude::cli::add_evaluate(app);
  etude::cli::add_generate(app);
  etude::cli::add_render(app);
  etude::cli::add_watch(app);
  etude::cli::add_inspect(app);
  etude::cli::add_launch(app);
  etude::cli::add_jobs(app);
  etude::cli::add_sweep(app);
  etude::cli::add_report(app);
  etude::cli::add_supervise(app);
  etude::cli::add_explain(app);
  etude::cli::add_completion(app);
  try {
    check_subcommand(app, argc, argv);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kMisuse;
  } catch (const etude::cli::ExitCode& exit) {
    return exit.code;
  } catch (const std::exception& error) {
    fmt::print(stderr, "etude: {}\n", etude::cli::in_words(error));
    return etude::cli::exit_code_of(error);
  }
}
