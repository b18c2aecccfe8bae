#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "framework/comm/communicator.h"
#include "framework/device/device.h"
#include "framework/run/run_folder.h"

namespace etude::cli {

/// What a scheduler takes as "start me again": EX_TEMPFAIL of sysexits.h.
constexpr int kResumeMe = 75;
/// Whoever looks after the run wants it to rest: nobody is to start it again of himself.
constexpr int kCalledOff = 76;

/// Does a subcommand's work on this process's rank. When it fails on one rank, that one says why and ends all of them,
/// since the others may be waiting for it in a collective that will never come.
void on_all_ranks(const std::function<void(comm::Communicator&)>& work);

/// What a rank was given, by name: "train.lr" and "3.0e-4".
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Compares `mine` on all ranks. Returns what differs, a line each with who has what; empty when nothing does.
std::vector<std::string> differing(comm::Communicator& communicator, const Facts& mine);

/// From now on a collective that takes longer than `seconds` (0: as long as it likes) ends all ranks with kResumeMe;
/// each says who is missing and writes what it knows into the run folder.
void watch_collectives(comm::Communicator& communicator, double seconds, const run::RunFolder& folder);

/// --device, as train.device.
void add_device_option(CLI::App& command, device::Choice& device);
/// Tells the user that the GPU is not used.
void warn_of_device(const std::string& why);

}  // namespace etude::cli
