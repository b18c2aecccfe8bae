#include "cli/ranks.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "framework/comm/launcher_watch.h"

namespace etude::cli {
namespace {

/// Not fmt::print, which throws: who ends because of a fault may have lost its terminal too.
void say(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

}  // namespace

void on_all_ranks(const std::function<void(comm::Communicator&)>& work) {
  const comm::LauncherWatch launcher([] { std::_Exit(kResumeMe); });
  const auto communicator = comm::make_communicator();
  try {
    work(*communicator);
  } catch (const ExitCode&) {
    throw;  // all ranks are here
  } catch (const std::exception& error) {
    if (communicator->size() == 1) throw;
    // What is wrong is mostly wrong on all ranks: let rank 0 say it, and the others only where it does not.
    if (communicator->rank() != 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    say(fmt::format("etude: rank {}: {}", communicator->rank(), in_words(error)));
    communicator->abort(exit_code_of(error));
  }
}

void watch_collectives(comm::Communicator& communicator, double seconds, const run::RunFolder& folder) {
  communicator.watch({.seconds = seconds,
                      .folder = folder.faults(),
                      .exit_code = kResumeMe,
                      .tell = [rank = communicator.rank(), seconds](const std::string& verdict, const auto& file) {
                        say(
                            fmt::format("etude: rank {}: {}. A collective may take {} s (train.collective_timeout). "
                                        "All ranks end, to be started again with --resume; stacks are in {}",
                                        rank, verdict, seconds, file.string()));
                      }});
}

void add_device_option(CLI::App& command, device::Choice& device) {
  static const std::map<std::string, device::Choice> kChoices{
      {"auto", device::Choice::kAuto}, {"cpu", device::Choice::kCpu}, {"cuda", device::Choice::kCuda}};
  command.add_option("--device", device, "auto (a GPU where there is one), cpu or cuda")
      ->transform(CLI::CheckedTransformer(kChoices, CLI::ignore_case).description(""))
      ->type_name("DEVICE");
}

void warn_of_device(const std::string& why) { say("etude: " + why); }

}  // namespace etude::cli
