#pragma once

#include <filesystem>
#include <string>

#include "framework/train/experiment.h"
#include "launch/launcher.h"

namespace etude::cli {

/// What is to be launched of an experiment. Where nodes see the files of this machine (`shares_files`), paths become
/// absolute, since a job may start in another folder, and the pack has to be there; `file` is named where it is not.
launch::Request request_for(train::Experiment experiment, const std::filesystem::path& file, bool shares_files);

}  // namespace etude::cli
