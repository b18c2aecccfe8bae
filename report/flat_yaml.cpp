#include "report/flat_yaml.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/config/tree.h"

namespace etude::report {
namespace {

using Json = nlohmann::json;
using Kind = config::Value::Kind;

template <typename Number>
bool parse_whole(const std::string& text, Number& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stopped == end && !text.empty();
}

Json scalar_value(const config::Node& node) {
  const std::string& text = node.scalar;
  if (node.quoted) return text;
  if (text == "true") return true;
  if (text == "false") return false;
  std::int64_t whole = 0;
  if (parse_whole(text, whole)) return whole;
  double number = 0;
  if (parse_whole(text, number) && std::isfinite(number)) return number;
  return text;
}

Json value_of(const config::Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return nullptr;
    case Kind::kScalar:
      return scalar_value(node);
    case Kind::kList: {
      Json list = Json::array();
      for (const config::Node& child : node.list) list.push_back(value_of(child));
      return list;
    }
    case Kind::kMap:
      break;
  }
  return Json::object();
}

void flatten(const config::Node& map, const std::string& prefix, Json& into) {
  for (const config::Node::Entry& entry : map.map) {
    const std::string key = prefix + entry.key;
    if (entry.node.kind == Kind::kMap && !entry.node.map.empty()) {
      flatten(entry.node, key + ".", into);
    } else {
      into[key] = value_of(entry.node);
    }
  }
}

}  // namespace

Json flat_yaml(const std::string& yaml, const std::string& name) {
  try {
    const config::Node root = config::parse_tree(yaml, 0);
    if (root.kind != Kind::kMap) throw Error(fmt::format("{}: is no map of options", name));
    Json flat = Json::object();
    flatten(root, "", flat);
    return flat;
  } catch (const config::TreeError& error) {
    throw Error(fmt::format("{}:{}:{}: {}", name, error.place.line, error.place.column, error.what));
  }
}

}  // namespace etude::report
