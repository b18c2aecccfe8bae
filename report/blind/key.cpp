#include "report/blind/key.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/nesting.h"

namespace etude::blind {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "etude-listening-key";

json json_of(const Key& key) {
  json models = json::array(), pieces = json::object(), comparisons = json::array();
  for (const Model& model : key.models) {
    models.push_back({{"name", model.name}, {"folder", model.folder}, {"human", model.human}});
  }
  for (const auto& [id, piece] : key.pieces) pieces[id] = {{"model", piece.model}, {"file", piece.file}};
  for (const auto& [first, second] : key.comparisons) comparisons.push_back({first, second});
  return {{"format", kFormat},          {"version", 1},     {"session", key.session},
          {"made", key.made},           {"seed", key.seed}, {"seconds", key.seconds},
          {"questions", key.questions}, {"models", models}, {"pieces", pieces},
          {"comparisons", comparisons}};
}

Key key_of(const json& object) {
  Key key;
  object.at("session").get_to(key.session);
  object.at("made").get_to(key.made);
  object.at("seed").get_to(key.seed);
  object.at("seconds").get_to(key.seconds);
  object.at("questions").get_to(key.questions);
  for (const json& model : object.at("models")) {
    key.models.push_back({model.at("name"), model.at("folder"), model.at("human")});
  }
  for (const auto& [id, piece] : object.at("pieces").items()) {
    key.pieces[id] = {piece.at("model"), piece.at("file")};
    if (key.pieces[id].model >= key.models.size()) throw Error(fmt::format("piece '{}' is of no model", id));
  }
  for (const json& pair : object.at("comparisons")) {
    if (pair.size() != 2) throw Error("a comparison is not of two pieces");
    key.comparisons.push_back({pair.at(0), pair.at(1)});
    for (const std::string& id : key.comparisons.back()) {
      if (!key.pieces.contains(id)) throw Error(fmt::format("piece '{}' is compared, but not listed", id));
    }
  }
  if (key.questions.empty() || key.models.size() < 2) throw Error("it has no question, or fewer than two models");
  return key;
}

}  // namespace

void write_key(const std::filesystem::path& file, const Key& key) {
  files::write_atomically(file, json_of(key).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

Key read_key(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& why) {
    return Error(fmt::format("{}: {}; the key is the file NAME.key.json that was written beside the listening page",
                             file.string(), why));
  };
  const std::string text = files::read(file);
  if (files::nests_deeper(text)) throw refuse("is damaged (brackets in brackets without end)");
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) throw refuse("is no whole JSON (cut off?)");
  if (!object.is_object() || object.value("format", json()) != kFormat) throw refuse("is no key of a listening test");
  if (object.value("version", json()) != 1) throw refuse("is of another version of Etude");
  try {
    return key_of(object);
  } catch (const json::exception& error) {
    throw refuse(fmt::format("is damaged ({})", error.what()));
  } catch (const Error& error) {
    throw refuse(fmt::format("is damaged ({})", error.what()));
  }
}

std::filesystem::path key_beside(const std::filesystem::path& page) {
  return page.parent_path() / (page.stem().string() + ".key.json");
}

}  // namespace etude::blind
