#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/error.h"
#include "framework/config/options.h"

namespace etude::config {

/// All that is wrong with a configuration, one complaint a line, each as "file:line:column: what, and the way out".
class ConfigError : public UsageError {
 public:
  explicit ConfigError(std::vector<std::string> complaints);
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  std::vector<std::string> complaints_;
};

/// Reads a YAML file, then the assignments ("train.lr=1e-3", as given to --set, later ones win), into the fields that
/// the section's options are bound to. An assignment's value is YAML too; a map is merged into what the file says, key
/// by key, and an empty map empties. Throws ConfigError with every complaint: unknown keys (with the nearest known
/// one), wrong types, values out of range, keys given twice; UsageError when the file cannot be read.
void load(Section& root, const std::filesystem::path& file, const std::vector<std::string>& assignments = {});

/// The same from text; `name` stands for the file in complaints.
void load_text(Section& root, const std::string& yaml, const std::string& name,
               const std::vector<std::string>& assignments = {});

/// The resolved configuration as YAML that `load` reads back to the same values, every option written out.
std::string to_yaml(const Section& root);

/// The same as pairs of key and value, both as --set takes them: "train.lr", "3.0e-4".
std::vector<std::pair<std::string, std::string>> settings(const Section& root);

/// What `etude explain [key]` prints: every option below `key` (all when empty): type, default, range, sentence.
/// Throws UsageError with the nearest known key when there is none of that name.
std::string explain(const Section& root, const std::string& key = "");

/// JSON Schema (draft 2020-12) for editors.
std::string json_schema(const Section& root, const std::string& title);

/// The candidate nearest to `word` by edit distance, or empty when none is near. For "did you mean".
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace etude::config
