#pragma once

#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"

namespace etude::data {

/// Takes a tokenizer's description apart field by field, so that nothing in it is misread or passed over: a field that
/// this program does not know would change the tokens. Throws Error with the fact; make_tokenizer adds the place.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  template <typename Value>
  Value take(const std::string& key) {
    taken_.insert(key);
    const auto field = object_.find(key);
    if (field == object_.end()) throw Error(fmt::format("the tokenizer's '{}' is missing", key));
    try {
      return field->get<Value>();
    } catch (const nlohmann::json::exception&) {
      throw Error(fmt::format("the tokenizer's '{}' has an unexpected value: {}", key, field->dump()));
    }
  }

  void expect_version(int known) {
    taken_.insert("kind");
    if (const int version = take<int>("version"); version != known)
      throw Error(
          fmt::format("the tokenizer's version is {}, and this etude knows version {} (use the etude that wrote it, "
                      "or pack the music again)",
                      version, known));
  }

  void expect_no_more() const {
    for (const auto& [key, value] : object_.items())
      if (!taken_.contains(key))
        throw Error(fmt::format("the tokenizer has an unknown '{}' (was it written by a newer etude?)", key));
  }

 private:
  const nlohmann::json& object_;
  std::set<std::string> taken_;
};

}  // namespace etude::data
