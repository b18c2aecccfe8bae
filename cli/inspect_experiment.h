#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace etude::cli {

/// Prints what the runs that these experiments describe will take, side by side, before anything is trained.
/// `assignments`: as --set gives them, for all of them. Throws what load_experiment and make_model throw.
void inspect_experiments(const std::vector<std::filesystem::path>& files, const std::vector<std::string>& assignments);

}  // namespace etude::cli
