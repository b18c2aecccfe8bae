#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etude::config {

/// The values an option accepts, both ends included.
template <typename Number>
struct Range {
  Number low = std::numeric_limits<Number>::lowest();
  Number high = std::numeric_limits<Number>::max();
};

/// One value of an option, bound to the field of a struct that holds it. Everything the program knows about options
/// (parsing, errors, `etude explain`, the JSON Schema, the resolved YAML) comes from these.
struct Option {
  std::string name;      ///< the key in YAML, without its section: "lr"
  std::string sentence;  ///< what it does, one sentence
  /// "integer", "number", "boolean", "text", "path", "duration", "list of integers", "list of text", "choice" or
  /// "map of text"
  std::string type;
  std::string default_value;         ///< as YAML would write it; the field's value when it was bound
  std::string range;                 ///< "1 to 64", "a, b or c"; empty when anything goes
  std::vector<std::string> choices;  ///< for a choice, else empty
  std::string minimum;               ///< the ends of a number's range as JSON writes them, empty where open
  std::string maximum;
  std::size_t exactly = 0;  ///< how many values a list has; 0 when any number will do
  /// Sets the field from YAML text. Returns an empty string, or what is wrong with the value.
  std::function<std::string(const struct Value&)> set;
  /// The field's present value as YAML (flow style).
  std::function<std::string()> get;
};

/// A scalar, list or map as it stands in a YAML file or on the command line.
struct Value {
  struct Entry;
  enum class Kind { kNull, kScalar, kList, kMap } kind = Kind::kNull;
  std::string scalar;
  std::vector<Value> list;
  std::vector<Entry> map;
};

struct Value::Entry {
  std::string key;
  Value value;
};

/// A group of options under one key. Structs describe themselves once, beside their definition:
///
///     struct ClipOptions { double norm = 1.0; Mode mode = Mode::kGlobal; };
///     void describe(config::Section& section, ClipOptions& options) {
///       section.number("norm", options.norm, {0.0, 1e6}, "Largest global norm of the gradient; 0 for no limit.");
///       section.choice("mode", options.mode, {{"global", Mode::kGlobal}}, "What the norm is taken over.");
///     }
///
/// and are filled from a file like this:
///
///     struct TrainOptions { std::int64_t steps = 1000; ClipOptions clip; };
///     void describe(config::Section& section, TrainOptions& options) {
///       section.integer("steps", options.steps, {1, 1'000'000'000}, "How many optimizer steps to take.");
///       describe(section.section("clip", "How gradients are kept small."), options.clip);
///     }
///     TrainOptions options;                            // the defaults
///     config::Section root;
///     describe(root, options);
///     config::load(root, "train.yaml", {"clip.norm=0.5"});
///
/// The struct must outlive the section: options write into its fields. What a field holds when it is described is its
/// default. Describing a name twice throws std::logic_error.
class Section {
 public:
  explicit Section(std::string name = "", std::string sentence = "");

  void integer(std::string name, std::int64_t& field, Range<std::int64_t> range, std::string sentence);
  void number(std::string name, double& field, Range<double> range, std::string sentence);
  void boolean(std::string name, bool& field, std::string sentence);
  void text(std::string name, std::string& field, std::string sentence);
  void path(std::string name, std::filesystem::path& field, std::string sentence);
  /// Seconds, written as a number or as 90s, 15m, 12h, 2d, 1h30m, HH:MM:SS or D-HH:MM:SS.
  void duration(std::string name, double& seconds, std::string sentence);
  /// Accepts a list; `exactly` > 0 fixes its length.
  void integers(std::string name, std::vector<std::int64_t>& field, Range<std::int64_t> range, std::size_t exactly,
                std::string sentence);
  /// Accepts a list of scalars; one alone is a list of one.
  void list(std::string name, std::vector<std::string>& field, std::string sentence);
  /// Free keys with text values, such as {composer: chopin}.
  void texts(std::string name, std::map<std::string, std::string>& field, std::string sentence);

  template <typename Enum>
  void choice(std::string name, Enum& field, std::vector<std::pair<std::string, Enum>> values, std::string sentence) {
    std::vector<std::string> names;
    for (const auto& value : values) names.push_back(value.first);
    choice_by_index(
        std::move(name), std::move(names), [values, &field](std::size_t index) { field = values[index].second; },
        [values, &field] {
          for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i].second == field) return i;
          }
          return values.size();
        },
        std::move(sentence));
  }

  /// A nested group. The reference stays valid as long as this section.
  Section& section(std::string name, std::string sentence);

  /// A key whose value decides which further options this section has (`kind: gpt2`). Options of the alternatives stand
  /// beside the key itself. A key of another alternative is refused with the name of the one it belongs to.
  void variant(std::string name, std::string& field,
               std::vector<std::pair<std::string, std::function<void(Section&)>>> alternatives, std::string sentence);

  const std::string& name() const { return name_; }
  const std::string& sentence() const { return sentence_; }
  const std::vector<Option>& options() const { return options_; }
  const std::vector<std::unique_ptr<Section>>& sections() const { return sections_; }

  struct Variant {
    std::string key;
    std::string* chosen = nullptr;
    std::vector<std::pair<std::string, std::unique_ptr<Section>>> alternatives;
  };
  const Variant* variant() const { return variant_.get(); }

 private:
  void choice_by_index(std::string name, std::vector<std::string> names, std::function<void(std::size_t)> set,
                       std::function<std::size_t()> get, std::string sentence);
  void add(Option option);
  void require_new(const std::string& name) const;

  std::string name_;
  std::string sentence_;
  std::vector<Option> options_;
  std::vector<std::unique_ptr<Section>> sections_;
  std::unique_ptr<Variant> variant_;
};

}  // namespace etude::config
