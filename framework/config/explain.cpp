#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "framework/config/document.h"
#include "framework/config/scope.h"

namespace etude::config {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kWidestKey = 32;

/// A paragraph of the listing: a heading, or an option.
struct Entry {
  bool is_heading = false;
  std::string key;
  std::string value;     ///< for an option "= default"
  std::string meaning;   ///< type and range
  std::string sentence;  ///< what it is for
};

std::string meaning(const Option& option) {
  if (!option.choices.empty()) return option.range;
  std::string text = option.type;
  if (option.exactly > 0) text = fmt::format("list of {} integers", option.exactly);
  return option.range.empty() ? text : text + ", " + option.range;
}

/// True when `key` is what was asked for, or below it.
bool is_below(const std::string& key, const std::string& asked) {
  return asked.empty() || key == asked || key.starts_with(asked + ".");
}

/// Lists a section; `condition` says when its options are there ("when model.kind is gpt2").
void list(const Section& section, const std::string& path, const std::string& condition, const std::string& asked,
          std::vector<Entry>& entries) {
  std::vector<Entry> own;
  for (const Option& option : section.options()) {
    const std::string key = joined(path, option.name);
    if (is_below(key, asked))
      own.push_back({false, key, "= " + option.default_value, meaning(option), option.sentence});
  }
  const std::string about = condition.empty() ? section.sentence() : condition;
  if (!own.empty() && !about.empty()) {
    entries.push_back({true, path, "", "", path.empty() ? about : fmt::format("{}: {}", path, about)});
  }
  entries.insert(entries.end(), own.begin(), own.end());

  if (const Section::Variant* variant = section.variant()) {
    for (const auto& [name, alternative] : variant->alternatives) {
      list(*alternative, path, fmt::format("when {} is {}", joined(path, variant->key), name), asked, entries);
    }
  }
  for (const auto& nested : section.sections()) list(*nested, joined(path, nested->name()), "", asked, entries);
}

/// Breaks a text into lines between words; every line is indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string result, line, word;
  while (words >> word) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) {
      result += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? result : result + std::string(indent, ' ') + line + "\n";
}

void print(const Entry& entry, std::size_t key_width, std::size_t value_width, std::string& out) {
  if (entry.is_heading) {
    if (!out.empty()) out += "\n";
    out += wrapped(entry.sentence, 0);
    return;
  }
  const std::size_t indent = 2 + key_width + 2;
  const std::string head = fmt::format("  {:<{}}  {:<{}}", entry.key, key_width, entry.value, value_width);
  const bool fits = head.size() + 2 + entry.meaning.size() <= kWidth;
  if (fits) {
    out += head + "  " + entry.meaning + "\n";
  } else {
    out += head.substr(0, head.find_last_not_of(' ') + 1) + "\n" + wrapped(entry.meaning, indent);
  }
  out += wrapped(entry.sentence, indent);
}

}  // namespace

std::string explain(const Section& root, const std::string& key, const FreeKeys& free) {
  std::vector<Entry> entries;
  for (const FreeKey& known : free) {
    if (is_below(known.name, key)) entries.push_back({false, known.name, "", known.form, known.sentence});
  }
  list(root, "", "", key, entries);
  if (entries.empty() && !key.empty()) {
    std::vector<std::string> keys = all_keys(root);
    for (const FreeKey& known : free) keys.push_back(known.name);
    std::vector<std::string> meant;
    for (const std::string& known : keys) {
      if (known.ends_with("." + key)) meant.push_back(known);
    }
    if (meant.empty()) {
      const std::string near = nearest(key, keys);
      if (!near.empty()) meant.push_back(near);
    }
    throw UsageError(fmt::format("there is no option '{}'{}", key,
                                 meant.empty() ? "; 'etude explain' lists all"
                                               : fmt::format("; did you mean '{}'?", fmt::join(meant, "' or '"))));
  }
  std::size_t key_width = 0, value_width = 0;
  constexpr std::size_t kWidestValue = 20;
  for (const Entry& entry : entries) {
    if (entry.is_heading) continue;
    key_width = std::max(key_width, std::min(entry.key.size(), kWidestKey));
    value_width = std::max(value_width, std::min(entry.value.size(), kWidestValue));
  }
  std::string out;
  for (const Entry& entry : entries) print(entry, key_width, value_width, out);
  return out;
}

}  // namespace etude::config
