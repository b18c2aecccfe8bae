#include "data/tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "data/tokenizer/remi.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

struct Kind {
  std::string_view name;
  std::unique_ptr<Tokenizer> (*make)();
  std::unique_ptr<Tokenizer> (*from_json)(const nlohmann::json&);
};

/// Every tokenizer there is; a new one is a line here.
constexpr std::array kKinds{
    Kind{"remi", []() -> std::unique_ptr<Tokenizer> { return std::make_unique<Remi>(); },
         [](const nlohmann::json& description) -> std::unique_ptr<Tokenizer> { return Remi::from_json(description); }},
};

const Kind* find_kind(std::string_view name) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) { return kind.name == name; });
  return found == kKinds.end() ? nullptr : &*found;
}

std::string known_names() {
  std::vector<std::string_view> names;
  for (const Kind& kind : kKinds) names.push_back(kind.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(const nlohmann::json& description, const std::string& place) {
  const auto name = description.is_object() ? description.find("kind") : description.end();
  if (name == description.end() || !name->is_string())
    throw Error(fmt::format(R"({}: no tokenizer here: expected an object such as {{"kind": "remi", …}})", place));
  const Kind* kind = find_kind(name->get_ref<const std::string&>());
  if (kind == nullptr)
    throw Error(fmt::format("{}: unknown tokenizer {}; this etude knows: {} (was it written by a newer etude?)", place,
                            name->dump(), known_names()));
  try {
    return kind->from_json(description);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", place, error.what()));
  }
}

std::unique_ptr<Tokenizer> make_tokenizer(const std::string& name) {
  if (const Kind* kind = find_kind(name)) return kind->make();
  throw UsageError(fmt::format("unknown tokenizer '{}'; there are: {}", name, known_names()));
}

}  // namespace etude::data
