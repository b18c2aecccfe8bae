#include "framework/config/scope.h"

#include <algorithm>

namespace etude::config {
namespace {

void collect_keys(const Section& section, const std::string& path, std::vector<std::string>& keys) {
  const auto add = [&](std::string key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  };
  for (const Option& option : section.options()) add(joined(path, option.name));
  for (const auto& nested : section.sections()) {
    add(joined(path, nested->name()));
    collect_keys(*nested, joined(path, nested->name()), keys);
  }
  if (section.variant() == nullptr) return;
  for (const auto& [name, alternative] : section.variant()->alternatives) collect_keys(*alternative, path, keys);
}

}  // namespace

const Section* chosen_alternative(const Section& section) {
  const Section::Variant* variant = section.variant();
  if (variant == nullptr) return nullptr;
  for (const auto& [name, alternative] : variant->alternatives) {
    if (name == *variant->chosen) return alternative.get();
  }
  return nullptr;
}

std::vector<const Section*> active_sections(const Section& section) {
  std::vector<const Section*> active;
  for (const Section* next = &section; next != nullptr; next = chosen_alternative(*next)) active.push_back(next);
  return active;
}

const Option* find_option(const Section& section, const std::string& name) {
  for (const Option& option : section.options()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

Section* find_section(const Section& section, const std::string& name) {
  for (const auto& nested : section.sections()) {
    if (nested->name() == name) return nested.get();
  }
  return nullptr;
}

std::string joined(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

std::vector<std::string> all_keys(const Section& root) {
  std::vector<std::string> keys;
  collect_keys(root, "", keys);
  return keys;
}

}  // namespace etude::config
