#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/error.h"
#include "framework/config/options.h"
#include "framework/config/tree.h"

namespace etude::config {

/// All that is wrong with a configuration, one complaint a line, each as "file:line:column: what, and the way out".
class ConfigError : public UsageError {
 public:
  explicit ConfigError(std::vector<std::string> complaints);
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  std::vector<std::string> complaints_;
};

/// Says something about one place of a configuration.
using Remark = std::function<void(const Place&, const std::string&)>;

/// A key beside the options of the outermost section whose value may have any form. It is kept with the places of
/// everything in it, for the `after` of Hooks to read.
struct FreeKey {
  std::string name;
  std::string sentence;
  std::string form;    ///< what `etude explain` says of its type: "map of parameters"
  std::string schema;  ///< the JSON Schema of its value
  Node* field = nullptr;
};
using FreeKeys = std::vector<FreeKey>;

/// What a configuration needs beyond what each option can see.
struct Hooks {
  FreeKeys free;
  /// Rewrites the tree before it is read: other spellings of the same.
  std::function<void(Node& tree, const Remark& complain, const Remark& warn)> before;
  /// Called once every option is set, whatever was complained of.
  std::function<void(const Node& tree, const Remark& complain, const Remark& warn)> after;
  /// Takes what was warned of, as "file:line:column: what".
  std::vector<std::string>* warnings = nullptr;
};

/// Reads a YAML file, then the assignments ("train.lr=1e-3", as given to --set, later ones win), into the fields that
/// the section's options are bound to. An assignment's value is YAML too; a map is merged into what the file says, key
/// by key, and an empty map empties. Throws ConfigError with every complaint: unknown keys (with the nearest known
/// one), wrong types, values out of range, keys given twice; UsageError when the file cannot be read.
void load(Section& root, const std::filesystem::path& file, const std::vector<std::string>& assignments = {},
          const Hooks& hooks = {});

/// The same from text; `name` stands for the file in complaints.
void load_text(Section& root, const std::string& yaml, const std::string& name,
               const std::vector<std::string>& assignments = {}, const Hooks& hooks = {});

/// The resolved configuration as YAML that `load` reads back to the same values, every option written out.
std::string to_yaml(const Section& root, const FreeKeys& free = {});

/// The same as pairs of key and value, both as --set takes them: "train.lr", "3.0e-4".
std::vector<std::pair<std::string, std::string>> settings(const Section& root);

/// What `etude explain [key]` prints: every option below `key` (all when empty): type, default, range, sentence.
/// Throws UsageError with the nearest known key when there is none of that name.
std::string explain(const Section& root, const std::string& key = "", const FreeKeys& free = {});

/// JSON Schema (draft 2020-12) for editors.
std::string json_schema(const Section& root, const std::string& title, const FreeKeys& free = {});

/// The candidate nearest to `word` by edit distance, or empty when none is near. For "did you mean".
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace etude::config
