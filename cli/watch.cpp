#include "report/watch/watch.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "cli/commands.h"

namespace etude::cli {
namespace {

constexpr int kSignalled = 128;

void run_watch(const report::watch::Wishes& wishes) {
  if (const int signal = report::watch::watch(wishes); signal != 0) throw ExitCode{kSignalled + signal};
}

}  // namespace

void add_watch(CLI::App& app) {
  using report::watch::Axis;
  auto wishes = std::make_shared<report::watch::Wishes>();
  CLI::App* command = app.add_subcommand("watch", "Follow runs in the terminal while they train");
  command->add_option("runs", wishes->paths, "Run folders, or folders with runs in them; they need not be there yet")
      ->required()
      ->type_name("RUN");
  command->add_flag("--once", wishes->once, "Print how things stand, and end");
  command->add_option("--interval", wishes->interval, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  const std::map<std::string, Axis> axes{{"steps", Axis::kSteps}, {"tokens", Axis::kTokens}, {"time", Axis::kTime}};
  command->add_option("--x", wishes->axis, "What the curves go by: steps, tokens or time")
      ->transform(CLI::CheckedTransformer(axes).description(""))
      ->type_name("AXIS");
  command->add_flag("--log", wishes->logarithmic, "Logarithmic scale for the losses");
  command->footer(
      "Keys: q quit; x another x axis; l logarithmic scale; with several runs ↑ ↓ (or k j) choose one and Enter shows\n"
      "it alone. Where there is no terminal, a line is printed for each run that has news, until all are over.");
  command->callback([wishes] { run_watch(*wishes); });
}

}  // namespace etude::cli
