#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace etude::sweep {

/// JSON whose numbers may be nan and infinite, as Python and Optuna write it; see parse_json and dump_json.
using Json = nlohmann::json;

/// The values that a parameter may take. Within Etude, as in Optuna's storage, a value is a double, its *internal*
/// form: a number itself (integers exactly, up to 2^53), or the index of a choice.
struct Distribution {
  enum class Kind { kFloat, kInt, kCategorical };

  Kind kind = Kind::kFloat;
  double low = 0;  ///< both ends included
  double high = 1;
  std::optional<double> step;  ///< of a float; an int has 1 when nothing is said
  bool log = false;            ///< no step then, and low > 0
  std::vector<Json> choices;   ///< null, booleans, numbers, texts; not two alike

  static Distribution real(double low, double high, bool log = false, std::optional<double> step = std::nullopt);
  static Distribution integer(double low, double high, bool log = false, double step = 1);
  static Distribution categorical(std::vector<Json> choices);

  bool operator==(const Distribution&) const = default;

  bool is_categorical() const { return kind == Kind::kCategorical; }
  /// Whether there is but one value.
  bool single() const;
  /// How many values there are; nothing for a continuum.
  std::optional<double> count() const;
  bool contains(double internal) const;
  /// The nearest value that the distribution has.
  double snapped(double internal) const;
  /// The internal form; nothing where `value` is none of this distribution.
  std::optional<double> internal(const Json& value) const;
  /// The value as a person wrote it: 12, 0.5, "gpt2".
  Json external(double internal) const;

  /// Optuna's spelling, as it stands in its storages.
  std::string to_json() const;
  /// Reads it, the spellings of older Optunas included. Throws Error.
  static Distribution from_json(const std::string& text);
};

/// JSON as Python writes it: NaN, Infinity and -Infinity are numbers. Throws Error.
Json parse_json(const std::string& text);
/// The same the other way round; text stays UTF-8.
std::string dump_json(const Json& json);

}  // namespace etude::sweep
