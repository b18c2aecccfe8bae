#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sweep/desk.h"
#include "sweep/sweep_file.h"

namespace etude::cli {

/// A sweep file, with what it searches compared to the options of its experiment. Warnings go to the screen.
std::unique_ptr<sweep::SweepFile> load_sweep_file(const std::filesystem::path& file,
                                                  const std::vector<std::string>& assignments = {});

/// The file that says where a sweep's controller is to be found while there is one.
std::filesystem::path controller_file(const sweep::SweepFile& sweep);

/// The experiment of one trial, ready for `etude train`.
std::string experiment_of(const sweep::SweepFile& sweep, const sweep::Trial& trial);

/// The study's attribute that holds the sweep file it was made from.
inline constexpr const char* kSweepAttribute = "etude:sweep";

}  // namespace etude::cli
