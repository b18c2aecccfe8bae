#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>

#include <fmt/format.h>

#include "cli/commands.h"
#include "framework/config/error.h"
#include "framework/run/environment.h"

namespace {

constexpr int kFailure = 1;
constexpr int kMisuse = 2;

int report(const std::exception& error, int code) {
  fmt::print(stderr, "etude: {}\n", error.what());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains, measures and plays models of symbolic music.", "etude"};
  app.set_version_flag("--version", etude::run::version());
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  app.footer(
      "The way of the data:\n"
      "  etude pack --input ~/midi --output packs/mine\n"
      "  mpirun -n 2 etude train experiment.yaml\n"
      "  etude evaluate runs/NAME --split test\n"
      "  etude generate runs/NAME --bars 16 --output new.mid\n"
      "'etude SUBCOMMAND --help' says more; 'etude explain' lists every option of an experiment.");
  etude::cli::add_pack(app);
  etude::cli::add_train(app);
  etude::cli::add_evaluate(app);
  etude::cli::add_generate(app);
  etude::cli::add_inspect(app);
  etude::cli::add_explain(app);
  etude::cli::add_completion(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kMisuse;
  } catch (const etude::cli::ExitCode& exit) {
    return exit.code;
  } catch (const etude::UsageError& error) {
    return report(error, kMisuse);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "etude: out of memory; a smaller model, train.micro_batch or data.sequence_length needs less\n");
    return kFailure;
  } catch (const std::exception& error) {
    return report(error, kFailure);
  }
}
