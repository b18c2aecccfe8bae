#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/document.h"
#include "framework/config/tree.h"

namespace etude::config {
namespace {

using Json = nlohmann::ordered_json;

/// Text may be written without quotes even where YAML sees a number in it.
const Json kText = {{"type", {"string", "number", "boolean"}}};

Json with_range(Json schema, const Option& option) {
  if (!option.minimum.empty()) schema["minimum"] = Json::parse(option.minimum, nullptr, false);
  if (!option.maximum.empty()) schema["maximum"] = Json::parse(option.maximum, nullptr, false);
  // An infinite end has no JSON, and limits nothing either.
  for (const char* end : {"minimum", "maximum"}) {
    if (schema.contains(end) && schema[end].is_discarded()) schema.erase(end);
  }
  return schema;
}

Json type_schema(const Option& option) {
  if (option.type == "choice") return {{"enum", option.choices}};
  if (option.type == "integer" || option.type == "number") return with_range({{"type", option.type}}, option);
  if (option.type == "boolean") return {{"type", "boolean"}};
  if (option.type == "map of text") return {{"type", "object"}, {"additionalProperties", kText}};
  if (option.type == "list of text") return {{"type", {"array", "string", "number", "boolean"}}, {"items", kText}};
  if (option.type == "duration") return {{"type", {"string", "number"}}};
  if (option.type == "list of integers") {
    Json schema = {{"type", "array"}, {"items", with_range({{"type", "integer"}}, option)}};
    if (option.exactly > 0) schema["minItems"] = schema["maxItems"] = option.exactly;
    return schema;
  }
  return kText;
}

/// A default as JSON. What YAML quotes or leaves bare is text where the type says so.
Json default_value(const Option& option) {
  const Node node = parse_tree(option.default_value, 0);
  for (const char* type : {"text", "path", "choice", "duration"}) {
    if (option.type == type) return node.scalar;
  }
  if (option.type == "list of text") {
    Json list = Json::array();
    for (const Node& text : node.list) list.push_back(text.scalar);
    return list;
  }
  if (option.type == "map of text") {
    Json map = Json::object();
    for (const Node::Entry& entry : node.map) map[entry.key] = entry.node.scalar;
    return map;
  }
  return Json::parse(option.default_value, nullptr, false);
}

Json option_schema(const Option& option) {
  Json schema = type_schema(option);
  schema["description"] = option.sentence;
  Json value = default_value(option);
  if (!value.is_discarded()) schema["default"] = std::move(value);
  return schema;
}

void describe_section(const Section& section, Json& schema);

Json section_schema(const Section& section) {
  Json schema = {{"type", {"object", "null"}}, {"properties", Json::object()}, {"additionalProperties", false}};
  if (!section.sentence().empty()) schema["description"] = section.sentence();
  describe_section(section, schema);
  return schema;
}

/// One alternative as "if the key has its value, then these are the options, and those of the others are refused".
Json alternative_schema(const Section::Variant& variant, const std::string& name, const Section& alternative,
                        const Json& names_of_all) {
  Json condition = {{"properties", {{variant.key, {{"const", name}}}}}};
  const bool is_default = name == *variant.chosen;
  if (!is_default) condition["required"] = {variant.key};
  Json consequence = {{"properties", Json::object()}};
  describe_section(alternative, consequence);
  for (const auto& item : names_of_all.items()) {
    if (!consequence["properties"].contains(item.key())) consequence["properties"][item.key()] = false;
  }
  return {{"if", std::move(condition)}, {"then", std::move(consequence)}};
}

/// Adds the properties of a section to a schema. additionalProperties does not see into "then", so the names of every
/// alternative are also listed outside, where anything goes.
void describe_section(const Section& section, Json& schema) {
  Json& properties = schema["properties"];
  for (const Option& option : section.options()) properties[option.name] = option_schema(option);
  for (const auto& nested : section.sections()) properties[nested->name()] = section_schema(*nested);
  const Section::Variant* variant = section.variant();
  if (variant == nullptr) return;

  Json names_of_all = Json::object();
  for (const auto& [name, alternative] : variant->alternatives) {
    Json described = {{"properties", Json::object()}};
    describe_section(*alternative, described);
    for (const auto& item : described["properties"].items()) names_of_all[item.key()] = true;
  }
  for (const auto& item : names_of_all.items()) properties[item.key()] = true;
  Json cases = Json::array();
  for (const auto& [name, alternative] : variant->alternatives) {
    cases.push_back(alternative_schema(*variant, name, *alternative, names_of_all));
  }
  schema["allOf"] = std::move(cases);
}

}  // namespace

std::string json_schema(const Section& root, const std::string& title, const FreeKeys& free) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(section_schema(root));
  for (const FreeKey& key : free) {
    Json value = Json::parse(key.schema);
    value["description"] = key.sentence;
    schema["properties"][key.name] = std::move(value);
  }
  return schema.dump(2) + "\n";
}

}  // namespace etude::config
