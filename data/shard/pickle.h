#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace etude::data {

/// One value of a pickle. Values refer to each other freely (a pickle may share them), so their Pickle owns them all.
struct PickleValue {
  enum class Kind {
    kNone,
    kBoolean,
    kInteger,
    kNumber,
    kText,
    kGlobal,      ///< text: "torch._utils _rebuild_tensor_v2"
    kList,        ///< items
    kTuple,       ///< items
    kDictionary,  ///< items: key, value, key, value …
    kPersistent,  ///< items: one, the tuple that names a tensor's storage
    kCall,        ///< items: the callable, its arguments
  } kind = Kind::kNone;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<const PickleValue*> items;

  /// A dictionary's value of a key, or null.
  const PickleValue* find(std::string_view key) const;
};

/// Reads what torch.save writes (pickle protocol 2) as plain values: calls are kept, never made, so that a file from
/// elsewhere can do no harm. Throws Error on anything else, naming the byte.
class Pickle {
 public:
  explicit Pickle(std::span<const std::byte> bytes);
  const PickleValue& root() const { return *root_; }

 private:
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;

  friend class PickleReader;
};

/// Writes a pickle, value by value.
class PickleWriter {
 public:
  PickleWriter();
  PickleWriter& text(std::string_view value);
  PickleWriter& integer(std::int64_t value);
  PickleWriter& boolean(bool value);
  PickleWriter& global(std::string_view module, std::string_view name);
  /// Opens a tuple, a list or a dictionary (key, value, key, value …); each is closed by its own end.
  PickleWriter& begin_tuple();
  PickleWriter& end_tuple();
  PickleWriter& begin_list();
  PickleWriter& end_list();
  PickleWriter& begin_dictionary();
  PickleWriter& end_dictionary();
  /// Turns the tuple just written into the storage that it names.
  PickleWriter& persistent();
  /// Calls the global written before last with the tuple just written.
  PickleWriter& call();
  /// Ends the pickle and gives its bytes.
  std::string finish();

 private:
  PickleWriter& op(char code);
  std::string bytes_;
};

}  // namespace etude::data
