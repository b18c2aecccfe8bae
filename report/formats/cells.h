#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace etude::report {

using Json = nlohmann::json;

// What tables of all formats have in their cells.

/// Member of an object, or null.
const Json& at(const Json& object, const char* key);
std::string text_of(const Json& value);

/// "3.214"; "–" where there is no number.
std::string figure(const Json& value, int digits = 3);
/// "0.150 to 0.226", "–".
std::string interval(const Json& low, const Json& high);
/// 1234567 as "1.23 M".
std::string amount(const Json& value);
std::string share(const Json& value);  ///< 0.3634 as "36.3 %"
std::string duration(const Json& seconds);
std::string cost(const Json& cost);

/// One line, without what would steer a terminal: names come from other people's folders.
std::string plain(const std::string& text);

/// Runs and groups by their ids.
std::map<std::string, const Json*> by_id(const Json& list);

/// What a configuration's row is made of.
struct GroupRow {
  const Json* group = nullptr;
  const Json* first = nullptr;  ///< its first run that was measured, else its first
  std::size_t measured = 0;
  std::string name;
};
/// Those that were measured by their metric, the best first; then the others.
std::vector<GroupRow> group_rows(const Json& model);

}  // namespace etude::report
