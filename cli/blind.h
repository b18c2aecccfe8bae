#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

namespace etude::cli {

/// What `etude report --blind` is told beside the runs and --output.
struct BlindArguments {
  bool blind = false;
  double seconds = 30;
  std::size_t pieces = 0;
  std::size_t rounds = 0;
  std::vector<std::string> questions;
  std::optional<std::uint64_t> seed;
  bool with_human = false;
  std::filesystem::path human;
  std::filesystem::path pack;
  std::string sound;
  std::filesystem::path soundfont;
};

/// --blind and the options that need it.
void add_blind_options(CLI::App& command, BlindArguments& arguments);

/// Writes the listening page and, beside it, its key; says what they are. Throws UsageError where the key of another
/// page would be lost.
void make_listening_page(const BlindArguments& arguments, const std::vector<std::filesystem::path>& runs,
                         const std::filesystem::path& output);

/// Files that listeners saved, and the key of their page.
struct PreferenceArguments {
  std::vector<std::filesystem::path> files;
  std::filesystem::path key;
};

void add_preference_options(CLI::App& command, PreferenceArguments& arguments);

/// Puts win rates into the report's model, if files are given; says which files do not count, and why. Throws Error
/// when none does.
void add_preferences(nlohmann::json& model, const PreferenceArguments& arguments);

}  // namespace etude::cli
