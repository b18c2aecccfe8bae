#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"

namespace etude::data {

/// Takes a tokenizer's description apart field by field, so that nothing in it is misread or passed over: a field that
/// this program does not know would change the tokens. Throws Error with the fact; make_tokenizer adds the place.
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  void expect_version(int known) {
    taken_.insert("kind");
    if (const int version = integer("version"); version != known)
      throw Error(
          fmt::format("the tokenizer's version is {}, and this etude knows version {} (use the etude that wrote "
                      "it, or pack the music again)",
                      version, known));
  }

  int integer(const std::string& key) { return to_integer(key, field(key)); }

  template <std::size_t N>
  std::array<int, N> integers(const std::string& key) {
    return to_integers<N>(key, field(key));
  }

  template <std::size_t N>
  std::vector<std::array<int, N>> lists_of_integers(const std::string& key) {
    const nlohmann::json& value = field(key);
    if (!value.is_array()) refuse(key, value);
    std::vector<std::array<int, N>> result;
    for (const nlohmann::json& list : value) result.push_back(to_integers<N>(key, list));
    return result;
  }

  void expect_no_more() const {
    for (const auto& [key, value] : object_.items())
      if (!taken_.contains(key))
        throw Error(fmt::format("the tokenizer has an unknown '{}' (was it written by a newer etude?)", key));
  }

 private:
  const nlohmann::json& field(const std::string& key) {
    taken_.insert(key);
    const auto found = object_.find(key);
    if (found == object_.end()) throw Error(fmt::format("the tokenizer's '{}' is missing", key));
    return *found;
  }

  /// The JSON library would turn 8.5 and true into whole numbers.
  static int to_integer(const std::string& key, const nlohmann::json& value) {
    if (!value.is_number_integer()) refuse(key, value);
    const auto number = value.get<std::int64_t>();
    if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) refuse(key, value);
    return static_cast<int>(number);
  }

  template <std::size_t N>
  static std::array<int, N> to_integers(const std::string& key, const nlohmann::json& value) {
    if (!value.is_array() || value.size() != N) refuse(key, value);
    std::array<int, N> result;
    for (std::size_t i = 0; i < N; ++i) result[i] = to_integer(key, value[i]);
    return result;
  }

  [[noreturn]] static void refuse(const std::string& key, const nlohmann::json& value) {
    throw Error(fmt::format("the tokenizer's '{}' has an unexpected value: {}", key, value.dump()));
  }

  const nlohmann::json& object_;
  std::set<std::string> taken_;
};

}  // namespace etude::data
