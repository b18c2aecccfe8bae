#include "report/blind/answers.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/nesting.h"

namespace etude::blind {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "etude-preferences";
constexpr std::uintmax_t kLargest = 16'000'000;  ///< bytes; a real one has 200 an answer
constexpr std::size_t kLongestName = 200;

std::optional<Choice> choice_of(const json& value) {
  if (value.is_null()) return std::nullopt;
  if (value == "first") return Choice::kFirst;
  if (value == "second") return Choice::kSecond;
  if (value == "neither") return Choice::kNeither;
  throw Error("an answer is none of 'first', 'second' and 'neither'");
}

Answer answer_of(const json& object, const Key& key) {
  Answer answer;
  const auto number = object.at("comparison").get<std::int64_t>();
  if (number < 0 || number >= std::ssize(key.comparisons))
    throw Error(fmt::format("there is no comparison {}", number));
  answer.comparison = static_cast<std::size_t>(number);
  object.at("first").get_to(answer.first);
  object.at("second").get_to(answer.second);
  const auto& [one, other] = key.comparisons[answer.comparison];
  if (!((answer.first == one && answer.second == other) || (answer.first == other && answer.second == one))) {
    throw Error(fmt::format("comparison {} was of other pieces", number));
  }
  for (const json& choice : object.at("choices")) answer.choices.push_back(choice_of(choice));
  if (answer.choices.size() != key.questions.size() || !answer.choices.front()) {
    throw Error(fmt::format("comparison {} does not answer the session's questions", number));
  }
  for (const json& which : object.at("known")) {
    answer.knew_first |= which == "first";
    answer.knew_second |= which == "second";
  }
  return answer;
}

std::string short_text(const json& object, const char* name) {
  auto text = object.at(name).get<std::string>();
  if (text.size() > kLongestName) throw Error(fmt::format("'{}' is {} bytes long", name, text.size()));
  return text;
}

Sheet sheet_of(const json& object, const Key& key) {
  Sheet sheet;
  sheet.listener = short_text(object, "listener");
  sheet.name = short_text(object, "name");
  sheet.saved = short_text(object, "saved");
  if (sheet.listener.empty()) throw Error("it names no listener");
  std::set<std::size_t> seen;
  for (const json& answer : object.at("answers")) {
    sheet.answers.push_back(answer_of(answer, key));
    if (!seen.insert(sheet.answers.back().comparison).second) {
      throw Error(fmt::format("comparison {} is answered twice", sheet.answers.back().comparison));
    }
  }
  return sheet;
}

/// Which of two files of one listener counts: the later; of two of one moment the one with more in it.
bool later(const Sheet& a, const Sheet& b) {
  return std::pair(a.saved, a.answers.size()) > std::pair(b.saved, b.answers.size());
}

void remark_names(Answers& answers) {
  std::map<std::string, std::vector<std::string>> by_name;
  for (const Sheet& sheet : answers.sheets) {
    if (!sheet.name.empty()) by_name[sheet.name].push_back(sheet.file.string());
  }
  for (const auto& [name, files] : by_name) {
    if (files.size() < 2) continue;
    answers.remarks.push_back(
        fmt::format("'{}' stands in {} files, from {} on, each begun anew: if that is one person who "
                    "heard the pieces twice, leave one out",
                    name, files.size(), files.front()));
  }
}

}  // namespace

Sheet read_sheet(const std::filesystem::path& file, const Key& key) {
  const auto refuse = [&](const std::string& why) { return Error(fmt::format("{}: {}", file.string(), why)); };
  std::error_code unknown;
  if (const auto size = std::filesystem::file_size(file, unknown); !unknown && size > kLargest) {
    throw refuse(fmt::format("has {} bytes, far more than answers need", size));
  }
  const std::string text = files::read(file);
  if (files::nests_deeper(text)) throw refuse("is damaged (brackets in brackets without end)");
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) throw refuse("is no whole JSON: cut off while it was sent? Have it saved and sent again");
  if (!object.is_object() || object.value("format", json()) != kFormat) {
    throw refuse("is no file of preferences; listeners save one with the button 'Save my answers'");
  }
  if (object.value("version", json()) != 1) throw refuse("is of another version of Etude");
  if (object.value("session", json()) != key.session) {
    throw refuse("is of another listening test; its own key is needed");
  }
  try {
    Sheet sheet = sheet_of(object, key);
    sheet.file = file;
    return sheet;
  } catch (const json::exception& error) {
    throw refuse(fmt::format("is damaged ({})", error.what()));
  } catch (const Error& error) {
    throw refuse(fmt::format("is damaged ({})", error.what()));
  }
}

Answers collect(const std::vector<std::filesystem::path>& files, const Key& key) {
  Answers answers;
  std::map<std::string, std::string> by_content;
  std::map<std::string, std::size_t> by_listener;
  for (const std::filesystem::path& file : files) {
    try {
      Sheet sheet = read_sheet(file, key);
      const auto [same, is_new] = by_content.emplace(files::hash_file(file), file.string());
      if (!is_new) {
        answers.remarks.push_back(fmt::format("{} is the same as {} and counts once", file.string(), same->second));
        continue;
      }
      const auto [place, first] = by_listener.emplace(sheet.listener, answers.sheets.size());
      if (first) {
        answers.sheets.push_back(std::move(sheet));
        continue;
      }
      Sheet& other = answers.sheets[place->second];
      if (later(sheet, other)) std::swap(sheet, other);
      answers.remarks.push_back(fmt::format("{} and {} are of one listener: the one saved last counts, {}",
                                            other.file.string(), sheet.file.string(), other.file.string()));
    } catch (const Error& error) {
      std::string reason = error.what();
      const std::string place = file.string() + ": ";
      if (reason.starts_with(place)) reason.erase(0, place.size());
      answers.refused.push_back({file.string(), std::move(reason)});
    }
  }
  remark_names(answers);
  return answers;
}

}  // namespace etude::blind
