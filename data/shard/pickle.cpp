// Opcodes as in CPython's Lib/pickletools.py.
#include "data/shard/pickle.h"

#include <bit>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

using Kind = PickleValue::Kind;

enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersistentId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyTuple = ')',
  kEmptyDictionary = '}',
  kProtocol = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  if (kind != Kind::kDictionary) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::kText && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

/// The stack machine that a pickle is a program for.
class PickleReader {
 public:
  PickleReader(Pickle& pickle, std::span<const std::byte> bytes) : pickle_(pickle), bytes_(bytes) {}

  const PickleValue* run() {
    for (;;) {
      const auto code = take<unsigned char>();
      if (code == kStop) return pop();
      step(code);
    }
  }

 private:
  void step(unsigned char code) {
    switch (code) {
      case kProtocol:
        if (const auto protocol = take<unsigned char>(); protocol > 2) {
          fail(fmt::format("pickle protocol {}; save it with torch.save's default, 2", protocol));
        }
        return;
      case kMark:
        marks_.push_back(stack_.size());
        return;
      case kNone:
        push(Kind::kNone);
        return;
      case kNewTrue:
        push(Kind::kBoolean).integer = 1;
        return;
      case kNewFalse:
        push(Kind::kBoolean);
        return;
      case kBinInt:
        push(Kind::kInteger).integer = take<std::int32_t>();
        return;
      case kBinInt1:
        push(Kind::kInteger).integer = take<std::uint8_t>();
        return;
      case kBinInt2:
        push(Kind::kInteger).integer = take<std::uint16_t>();
        return;
      case kLong1:
        push(Kind::kInteger).integer = take_long();
        return;
      case kBinFloat:
        push(Kind::kNumber).number = std::bit_cast<double>(__builtin_bswap64(take<std::uint64_t>()));
        return;
      case kBinUnicode: {
        const auto length = take<std::uint32_t>();
        push(Kind::kText).text = take_text(length);
        return;
      }
      case kGlobal: {
        std::string name = take_line();
        name += ' ' + take_line();
        push(Kind::kGlobal).text = std::move(name);
        return;
      }
      case kEmptyList:
        push(Kind::kList);
        return;
      case kEmptyTuple:
        push(Kind::kTuple);
        return;
      case kEmptyDictionary:
        push(Kind::kDictionary);
        return;
      case kTuple1:
        make(Kind::kTuple, pop_many(1));
        return;
      case kTuple2:
        make(Kind::kTuple, pop_many(2));
        return;
      case kTuple3:
        make(Kind::kTuple, pop_many(3));
        return;
      case kTuple:
        make(Kind::kTuple, pop_to_mark());
        return;
      case kAppend:
        extend(Kind::kList, pop_many(1));
        return;
      case kAppends:
        extend(Kind::kList, pop_to_mark());
        return;
      case kSetItem:
        extend(Kind::kDictionary, pop_many(2));
        return;
      case kSetItems:
        extend(Kind::kDictionary, pop_to_mark());
        return;
      case kBinPersistentId:
        make(Kind::kPersistent, pop_many(1));
        return;
      case kReduce:
        reduce();
        return;
      case kBuild:
        pop();
        return;  // attributes set on a finished object, which plain values have not
      case kBinPut:
        memo_[take<std::uint8_t>()] = top();
        return;
      case kLongBinPut:
        memo_[take<std::uint32_t>()] = top();
        return;
      case kBinGet:
        push_again(take<std::uint8_t>());
        return;
      case kLongBinGet:
        push_again(take<std::uint32_t>());
        return;
      default:
        fail(fmt::format("opcode 0x{:02x} is none that torch.save writes", code));
    }
  }

  void reduce() {
    auto parts = pop_many(2);
    if (parts[0]->kind != Kind::kGlobal || parts[1]->kind != Kind::kTuple) fail("a call of what cannot be called");
    // The one call whose result is a plain value.
    if (parts[0]->text == "collections OrderedDict") {
      make(Kind::kDictionary, {});
    } else {
      make(Kind::kCall, std::move(parts));
    }
  }

  template <typename Number>
  Number take() {
    Number number{};
    const auto from = take_bytes(sizeof number);
    std::memcpy(&number, from.data(), sizeof number);
    return number;
  }

  std::span<const std::byte> take_bytes(std::size_t count) {
    if (count > bytes_.size() - position_) fail("it ends too early (truncated or damaged copy?)");
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  std::string take_text(std::size_t length) {
    const auto from = take_bytes(length);
    return {reinterpret_cast<const char*>(from.data()), from.size()};
  }

  std::string take_line() {
    std::string line;
    for (char letter = take<char>(); letter != '\n'; letter = take<char>()) line += letter;
    return line;
  }

  std::int64_t take_long() {
    const auto length = take<std::uint8_t>();
    if (length > 8) fail("an integer of more than 64 bits");
    const auto from = take_bytes(length);
    const bool negative = length > 0 && (static_cast<unsigned>(from.back()) & 0x80u) != 0;
    std::int64_t value = negative ? -1 : 0;
    if (length > 0) std::memcpy(&value, from.data(), length);
    return value;
  }

  PickleValue& push(Kind kind) {
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    stack_.push_back(&value);
    return value;
  }
  void make(Kind kind, std::vector<const PickleValue*> items) { push(kind).items = std::move(items); }

  void push_again(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("it refers to what was not there");
    stack_.push_back(found->second);
  }

  PickleValue* top() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) fail("it takes more than was put");
    return stack_.back();
  }
  PickleValue* pop() {
    PickleValue* value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<const PickleValue*> pop_many(std::size_t count) {
    std::vector<const PickleValue*> values(count);
    for (std::size_t i = count; i-- > 0;) values[i] = pop();
    return values;
  }
  std::vector<const PickleValue*> pop_to_mark() {
    if (marks_.empty()) fail("it ends a group that was not begun");
    const std::size_t count = stack_.size() - marks_.back();
    auto values = pop_many(count);
    marks_.pop_back();
    return values;
  }

  void extend(Kind kind, const std::vector<const PickleValue*>& items) {
    PickleValue* container = top();
    if (container->kind != kind) fail("it adds to what is no container");
    if (kind == Kind::kDictionary && items.size() % 2 != 0) fail("a key without its value");
    container->items.insert(container->items.end(), items.begin(), items.end());
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("the pickle cannot be read at byte {}: {}", position_, what));
  }

  Pickle& pickle_;
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleValue*> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes) { root_ = PickleReader(*this, bytes).run(); }

PickleWriter::PickleWriter() { op(static_cast<char>(kProtocol)).op(2); }

PickleWriter& PickleWriter::op(char code) {
  bytes_ += code;
  return *this;
}

PickleWriter& PickleWriter::text(std::string_view value) {
  const auto length = static_cast<std::uint32_t>(value.size());
  op(kBinUnicode);
  bytes_.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes_ += value;
  return *this;
}

PickleWriter& PickleWriter::integer(std::int64_t value) {
  if (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()) {
    const auto small = static_cast<std::int32_t>(value);
    op(kBinInt);
    bytes_.append(reinterpret_cast<const char*>(&small), sizeof small);
  } else {
    op(static_cast<char>(kLong1)).op(sizeof value);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return *this;
}

PickleWriter& PickleWriter::boolean(bool value) { return op(static_cast<char>(value ? kNewTrue : kNewFalse)); }

PickleWriter& PickleWriter::global(std::string_view module, std::string_view name) {
  op(kGlobal);
  bytes_ += fmt::format("{}\n{}\n", module, name);
  return *this;
}

PickleWriter& PickleWriter::begin_tuple() { return op(kMark); }
PickleWriter& PickleWriter::end_tuple() { return op(kTuple); }
PickleWriter& PickleWriter::begin_list() { return op(kEmptyList).op(kMark); }
PickleWriter& PickleWriter::end_list() { return op(kAppends); }
PickleWriter& PickleWriter::begin_dictionary() { return op(kEmptyDictionary).op(kMark); }
PickleWriter& PickleWriter::end_dictionary() { return op(kSetItems); }
PickleWriter& PickleWriter::persistent() { return op(kBinPersistentId); }
PickleWriter& PickleWriter::call() { return op(kReduce); }

std::string PickleWriter::finish() {
  op(kStop);
  return std::move(bytes_);
}

}  // namespace etude::data
