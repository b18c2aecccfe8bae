#include <fmt/format.h>

#include "framework/config/document.h"
#include "framework/config/scope.h"
#include "framework/config/values.h"

namespace etude::config {
namespace {

/// A tree with one line for each part of it.
std::string block(const Node& tree) {
  std::string lines;
  for (const Node& part : tree.list) lines += fmt::format("\n  - {}", flow_text(part));
  for (const auto& [key, place, part] : tree.map) lines += fmt::format("\n  {}: {}", yaml_text(key), flow_text(part));
  return lines.empty() ? " " + flow_text(tree) : lines;
}

void write(const Section& section, const std::string& indent, std::string& yaml) {
  const std::vector<const Section*> active = active_sections(section);
  for (const Section* part : active) {
    for (const Option& option : part->options()) yaml += fmt::format("{}{}: {}\n", indent, option.name, option.get());
  }
  for (const Section* part : active) {
    for (const auto& nested : part->sections()) {
      yaml += fmt::format("{}{}:\n", indent, nested->name());
      write(*nested, indent + "  ", yaml);
    }
  }
}

void collect(const Section& section, const std::string& prefix,
             std::vector<std::pair<std::string, std::string>>& found) {
  for (const Section* part : active_sections(section)) {
    for (const Option& option : part->options()) found.emplace_back(prefix + option.name, option.get());
    for (const auto& nested : part->sections()) collect(*nested, prefix + nested->name() + ".", found);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> settings(const Section& root) {
  std::vector<std::pair<std::string, std::string>> found;
  collect(root, "", found);
  return found;
}

std::string to_yaml(const Section& root, const FreeKeys& free) {
  std::string yaml;
  write(root, "", yaml);
  for (const FreeKey& key : free) yaml += fmt::format("{}:{}\n", key.name, block(*key.field));
  return yaml;
}

}  // namespace etude::config
