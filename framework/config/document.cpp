#include "framework/config/document.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include "framework/config/scope.h"

namespace etude::config {
namespace {

std::string last_name(const std::string& key) { return key.substr(key.rfind('.') + 1); }

/// The keys whose last name is `name`, unless it is everywhere, which tells nothing.
std::vector<std::string> keys_named(const std::string& name, const std::vector<std::string>& keys) {
  constexpr std::size_t kMostPlaces = 3;
  std::vector<std::string> named;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(named),
               [&](const std::string& key) { return last_name(key) == name; });
  return named.size() <= kMostPlaces ? named : std::vector<std::string>();
}

/// Names what a key could have been meant to be, as a clause that ends the complaint.
std::string suggestion(const Section& root, const std::string& path, const std::string& key,
                       const std::vector<std::string>& known_here) {
  const std::vector<std::string> keys = all_keys(root);
  const bool is_dotted = path.empty() && key != last_name(key);
  if (is_dotted && std::find(keys.begin(), keys.end(), key) != keys.end()) {
    return fmt::format("write '{}' under '{}:'", last_name(key), key.substr(0, key.rfind('.')));
  }

  std::vector<std::string> meant = keys_named(key, keys);
  if (const std::string here = nearest(key, known_here); !here.empty()) meant.insert(meant.begin(), joined(path, here));
  if (meant.empty()) {
    std::vector<std::string> names;
    std::transform(keys.begin(), keys.end(), std::back_inserter(names), last_name);
    meant = keys_named(nearest(key, names), keys);
  }
  if (meant.empty()) return fmt::format("known here: {}", fmt::join(known_here, ", "));
  return fmt::format("did you mean '{}'?", fmt::join(meant, "' or '"));
}

/// Carries values from a tree into the options of a section, and collects what is wrong.
class Loader {
 public:
  Loader(Section& root, std::string name, const std::vector<std::string>& assignments, const Hooks& hooks)
      : root_(root), hooks_(hooks) {
    sources_.push_back(std::move(name));
    for (const std::string& assignment : assignments) sources_.push_back("--set " + assignment);
  }

  void load(const std::string& yaml, const std::vector<std::string>& assignments) {
    std::optional<Node> tree = parse([&] { return parse_tree(yaml, 0); });
    if (tree) check_repetitions(*tree, "");
    for (std::size_t i = 0; i < assignments.size(); ++i) {
      std::optional<Node> assigned = parse([&] { return parse_assignment(assignments[i], i + 1); });
      if (tree && assigned) lay_over(*tree, std::move(*assigned));
    }
    // What a broken file would have said about the assignments (which model, say) is not known.
    if (tree) {
      const auto complaining = [this](const Place& place, const std::string& text) { complain(place, text); };
      const auto warning = [this](const Place& place, const std::string& text) { warn(place, text); };
      if (hooks_.before) hooks_.before(*tree, complaining, warning);
      apply(root_, *tree, "");
      if (hooks_.after) hooks_.after(*tree, complaining, warning);
    }
    if (!complaints_.empty()) throw ConfigError(sorted_complaints());
  }

 private:
  struct Complaint {
    Place place;
    std::string text;
  };

  void complain(Place place, std::string text) { complaints_.push_back({place, std::move(text)}); }

  void warn(const Place& place, const std::string& text) const {
    if (hooks_.warnings != nullptr) hooks_.warnings->push_back(where(place) + ": " + text);
  }

  template <typename Parser>
  std::optional<Node> parse(Parser parser) {
    try {
      return parser();
    } catch (const TreeError& error) {
      complain(error.place, error.what);
      return std::nullopt;
    }
  }

  std::string where(const Place& place) const {
    if (place.source > 0) return sources_[place.source];
    return fmt::format("{}:{}:{}", sources_[0], place.line, place.column);
  }

  std::vector<std::string> sorted_complaints() {
    const auto order = [](const Complaint& c) { return std::tuple(c.place.source, c.place.line, c.place.column); };
    std::stable_sort(complaints_.begin(), complaints_.end(),
                     [&](const Complaint& a, const Complaint& b) { return order(a) < order(b); });
    std::vector<std::string> lines;
    for (const Complaint& complaint : complaints_) lines.push_back(where(complaint.place) + ": " + complaint.text);
    return lines;
  }

  void check_repetitions(const Node& node, const std::string& path) {
    std::map<std::string, Place> seen;
    for (const Node::Entry& entry : node.map) {
      const std::string key = joined(path, entry.key);
      const auto [first, is_new] = seen.emplace(entry.key, entry.place);
      if (!is_new) {
        complain(entry.place,
                 fmt::format("'{}' is given twice, first on line {}; remove one", key, first->second.line));
      }
      check_repetitions(entry.node, key);
    }
    for (const Node& child : node.list) check_repetitions(child, path);
  }

  void set(const Option& option, const Node& node, const std::string& key) {
    const std::string wrong = option.set(node.value());
    if (wrong.empty()) return;
    const bool place_names_key = sources_[node.place.source].starts_with("--set " + key + "=");
    complain(node.place, place_names_key ? wrong : fmt::format("'{}': {}", key, wrong));
  }

  void apply(Section& section, Node& node, const std::string& path) {
    if (node.kind == Value::Kind::kNull) return;  // a key with everything under it commented out
    if (node.kind != Value::Kind::kMap) {
      const std::string what = path.empty() ? "the configuration" : "'" + path + "'";
      complain(node.place, fmt::format("{} holds options, written 'key: value', but there is {}", what,
                                       node.kind == Value::Kind::kList ? "a list" : "'" + node.scalar + "'"));
      return;
    }
    const Scope scope = choose(section, node, path);
    for (Node::Entry& entry : node.map) {
      const bool chosen_already =
          std::find(scope.variant_keys.begin(), scope.variant_keys.end(), entry.key) != scope.variant_keys.end();
      if (!chosen_already) apply_entry(scope, entry, path);
    }
  }

  /// The sections that a key may belong to, now that the variants are known.
  struct Scope {
    std::vector<const Section*> sections;
    std::vector<std::string> variant_keys;
    bool undecided = false;  // a variant was given a value that it does not have
  };

  /// Sets the keys that decide which other keys there are, wherever they stand in the map.
  Scope choose(const Section& section, Node& node, const std::string& path) {
    Scope scope;
    for (const Section* next = &section; next != nullptr && !scope.undecided; next = chosen_alternative(*next)) {
      scope.sections.push_back(next);
      if (next->variant() == nullptr) break;
      const std::string& key = next->variant()->key;
      scope.variant_keys.push_back(key);
      if (const Node::Entry* entry = node.find(key)) {
        const std::size_t before = complaints_.size();
        set(*find_option(*next, key), entry->node, joined(path, key));
        scope.undecided = complaints_.size() > before;
      }
    }
    return scope;
  }

  void apply_entry(const Scope& scope, Node::Entry& entry, const std::string& path) {
    if (path.empty()) {
      const auto& free = hooks_.free;
      const auto known = std::find_if(free.begin(), free.end(), [&](const FreeKey& k) { return k.name == entry.key; });
      if (known != free.end()) {
        *known->field = entry.node;
        return;
      }
    }
    const std::string key = joined(path, entry.key);
    for (const Section* section : scope.sections) {
      if (const Option* option = find_option(*section, entry.key)) return set(*option, entry.node, key);
      if (Section* nested = find_section(*section, entry.key)) return apply(*nested, entry.node, key);
    }
    complain_of_unknown(scope, entry, path);
  }

  void complain_of_unknown(const Scope& scope, const Node::Entry& entry, const std::string& path) {
    std::vector<std::string> known;
    if (path.empty()) {
      for (const FreeKey& key : hooks_.free) known.push_back(key.name);
    }
    for (const Section* section : scope.sections) {
      for (const Option& option : section->options()) known.push_back(option.name);
      for (const auto& nested : section->sections()) known.push_back(nested->name());
      const Section::Variant* variant = section->variant();
      if (variant == nullptr) continue;
      for (const auto& [name, alternative] : variant->alternatives) {
        const std::vector<std::string> keys = all_keys(*alternative);
        if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) continue;
        if (scope.undecided) return;  // it may well be right
        return complain(entry.place,
                        fmt::format("'{}' is an option of {} {}, but {} is {}", joined(path, entry.key),
                                    joined(path, variant->key), name, joined(path, variant->key), *variant->chosen));
      }
    }
    complain(entry.place,
             fmt::format("unknown key '{}'; {}", joined(path, entry.key), suggestion(root_, path, entry.key, known)));
  }

  Section& root_;
  const Hooks& hooks_;
  std::vector<std::string> sources_;
  std::vector<Complaint> complaints_;
};

}  // namespace

ConfigError::ConfigError(std::vector<std::string> complaints)
    : UsageError(fmt::format("{}", fmt::join(complaints, "\n"))), complaints_(std::move(complaints)) {}

void load(Section& root, const std::filesystem::path& file, const std::vector<std::string>& assignments,
          const Hooks& hooks) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream yaml;
  const bool is_folder = std::filesystem::is_directory(file);
  if (is_folder || !stream) {
    const std::string reason = is_folder ? "it is a folder" : std::strerror(errno);
    throw UsageError(fmt::format("cannot read the configuration '{}': {}", file.string(), reason));
  }
  yaml << stream.rdbuf();
  load_text(root, yaml.str(), file.string(), assignments, hooks);
}

void load_text(Section& root, const std::string& yaml, const std::string& name,
               const std::vector<std::string>& assignments, const Hooks& hooks) {
  Loader(root, name, assignments, hooks).load(yaml, assignments);
}

}  // namespace etude::config
