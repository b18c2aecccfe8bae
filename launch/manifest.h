#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace etude::launch {

/// What engines hand over as YAML, with its keys in the order in which they were put in.
using Manifest = nlohmann::ordered_json;

/// The same as YAML for people: block style, texts of several lines as they are. Every text reads back as the same text
/// with any parser of YAML 1.1 or 1.2, whatever stands in it. Throws UsageError for a text that is not UTF-8 or holds a
/// zero byte, which YAML has no way to write.
std::string to_yaml(const Manifest& manifest);

/// Throws UsageError, naming the key, unless the text is made of letters, digits and `others` alone, begins with a
/// letter or digit, and has `longest` characters at most. An empty text is fine.
void require_plain(const std::string& key, const std::string& text, const std::string& others,
                   std::size_t longest = 253);

/// Throws UsageError, naming the key, unless the text is an absolute path without what another program would expand or
/// take apart: `$`, `~`, `:`, `,`, white space, control characters, `..`.
void require_plain_path(const std::string& key, const std::string& path);

}  // namespace etude::launch
