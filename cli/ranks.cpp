#include "cli/ranks.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

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

std::vector<std::string> differing(comm::Communicator& communicator, const Facts& mine) {
  std::vector<std::map<std::string, std::string>> by_rank;
  std::vector<std::string> names;
  for (const std::string& text : comm::all_gather_text(communicator, nlohmann::json(mine).dump())) {
    auto& facts = by_rank.emplace_back();
    for (const auto& [name, value] : nlohmann::json::parse(text).get<Facts>()) {
      facts[name] = value;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::vector<std::string> lines;
  for (const std::string& name : names) {
    std::vector<std::pair<std::string, std::vector<std::size_t>>> ranks_with;
    for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
      const auto fact = by_rank[rank].find(name);
      const std::string value = fact == by_rank[rank].end() ? "nothing" : fact->second;
      auto same =
          std::find_if(ranks_with.begin(), ranks_with.end(), [&](const auto& one) { return one.first == value; });
      if (same == ranks_with.end()) same = ranks_with.insert(same, {value, {}});
      same->second.push_back(rank);
    }
    if (ranks_with.size() == 1) continue;
    std::vector<std::string> who;
    for (const auto& [value, ranks] : ranks_with) {
      who.push_back(fmt::format("{} on rank{} {}", value, ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", ")));
    }
    lines.push_back(fmt::format("{}: {}", name, fmt::join(who, "; ")));
  }
  return lines;
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
