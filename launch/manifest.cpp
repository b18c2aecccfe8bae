#include "launch/manifest.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/config/values.h"

namespace etude::launch {
namespace {

/// What a block of YAML can hold as it is: lines of printable ASCII, the first one not indented, the last one ended.
bool is_block(const std::string& text) {
  if (text.size() < 2 || text.back() != '\n' || text[text.size() - 2] == '\n') return false;
  if (text[0] == ' ' || text[0] == '\n') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

/// How many bytes the character at `at` takes, by its first one; 0 where it is no UTF-8.
std::size_t length_of_character(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t length = first < 0x80         ? 1
                             : (first >> 5) == 6  ? 2
                             : (first >> 4) == 14 ? 3
                             : (first >> 3) == 30 ? 4
                                                  : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) >> 6) != 2) return 0;
  }
  return length;
}

void require_text(const std::string& text) {
  for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
    length = length_of_character(text, at);
    if (length == 0 || text[at] == '\0') {
      throw UsageError(fmt::format("a text with byte {:#04x} at {} cannot be written as YAML; it takes UTF-8",
                                   static_cast<unsigned char>(text[at]), at));
    }
  }
}

void write(const Manifest& value, const std::string& indent, std::string& yaml);

std::string indented(const std::string& text, const std::string& indent) {
  std::string lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end > at) lines += indent + text.substr(at, end - at);  // an empty line stays empty
    lines += '\n';
    at = end + 1;
  }
  return lines;
}

/// What follows `key:` or `-`, the line's end included.
void write_after(const Manifest& value, const std::string& indent, bool in_list, std::string& yaml) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    require_text(text);
    yaml += is_block(text) ? " |\n" + indented(text, indent + "  ") : " " + config::yaml_text(text) + "\n";
  } else if (value.is_structured() && !value.empty()) {
    std::string nested;
    write(value, indent + (in_list || value.is_object() ? "  " : ""), nested);
    yaml += in_list ? " " + nested.substr(indent.size() + 2) : "\n" + nested;
  } else {
    yaml += " " + value.dump() + "\n";
  }
}

void write(const Manifest& value, const std::string& indent, std::string& yaml) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      require_text(key);
      yaml += indent + config::yaml_text(key) + ":";
      write_after(member, indent, false, yaml);
    }
  } else {
    for (const Manifest& member : value) {
      yaml += indent + "-";
      write_after(member, indent, true, yaml);
    }
  }
}

}  // namespace

std::string to_yaml(const Manifest& manifest) {
  std::string yaml;
  write(manifest, "", yaml);
  return yaml;
}

void require_plain(const std::string& key, const std::string& text, const std::string& others, std::size_t longest) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool good = text.empty() || (is_letter_or_digit(text[0]) && text.size() <= longest &&
                                     std::all_of(text.begin(), text.end(), [&](char c) {
                                       return is_letter_or_digit(c) || others.find(c) != std::string::npos;
                                     }));
  if (good) return;
  throw UsageError(
      fmt::format("{}: {} cannot be: it takes at most {} letters, digits and {}, beginning with a letter or digit", key,
                  config::yaml_text(text), longest, others));
}

void require_plain_path(const std::string& key, const std::string& path) {
  const std::filesystem::path parts = path;
  const bool good = parts.is_absolute() && std::find(parts.begin(), parts.end(), "..") == parts.end() &&
                    std::none_of(path.begin(), path.end(), [](char c) {
                      return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' ||
                             std::string_view("$~:,\"'`\\").find(c) != std::string_view::npos;
                    });
  if (good) return;
  throw UsageError(fmt::format("{}: {} cannot be: it takes an absolute path without spaces, quotes and $ ~ : ,", key,
                               config::yaml_text(path)));
}

}  // namespace etude::launch
