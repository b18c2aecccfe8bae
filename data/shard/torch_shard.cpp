#include "data/shard/torch_shard.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "data/shard/mapped_file.h"
#include "data/shard/pickle.h"
#include "data/shard/zip.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

using Kind = PickleValue::Kind;
using Records = std::map<std::string, std::span<const std::byte>>;

/// A one-dimensional tensor of integers, where it lies in the file.
struct Column {
  std::span<const std::byte> bytes;
  std::size_t width = 1;
  bool is_signed = false;

  std::size_t size() const { return bytes.size() / width; }
  std::int64_t at(std::size_t index) const {
    const std::byte* from = bytes.data() + index * width;
    switch (width) {
      case 1:
        return is_signed ? load<std::int8_t>(from) : load<std::uint8_t>(from);
      case 2:
        return is_signed ? load<std::int16_t>(from) : load<std::uint16_t>(from);
      case 4:
        return is_signed ? load<std::int32_t>(from) : load<std::uint32_t>(from);
      default:
        return load<std::int64_t>(from);
    }
  }

 private:
  template <typename Number>
  static std::int64_t load(const std::byte* from) {
    Number number{};
    std::memcpy(&number, from, sizeof number);  // other programs may not have aligned it
    return number;
  }
};

struct Element {
  const char* name;
  std::size_t width;
  bool is_signed;
};
/// By the storage class of older dtypes, or by the dtype itself of those that came with _rebuild_tensor_v3.
constexpr Element kElements[] = {
    {"torch ByteStorage", 1, false}, {"torch CharStorage", 1, true}, {"torch ShortStorage", 2, true},
    {"torch IntStorage", 4, true},   {"torch LongStorage", 8, true}, {"torch uint16", 2, false},
    {"torch uint32", 4, false},
};

Element element_of(const PickleValue& name) {
  const auto found = std::ranges::find_if(kElements, [&](const Element& one) { return name.text == one.name; });
  if (found == std::end(kElements)) throw Error(fmt::format("it holds '{}', not integers", name.text));
  return *found;
}

const PickleValue& item(const PickleValue& value, std::size_t index, Kind kind) {
  if (index >= value.items.size() || value.items[index]->kind != kind)
    throw Error("it is no tensor as torch.save writes it");
  return *value.items[index];
}

/// _rebuild_tensor_v2(storage, offset, size, stride, …), or _v3 with the dtype as seventh argument; a storage is
/// ("storage", class, record, device, elements).
Column read_tensor(const PickleValue& value, const Records& records, const std::string& prefix) {
  const std::string callable = value.kind == Kind::kCall ? value.items[0]->text : "";
  const bool v3 = callable == "torch._utils _rebuild_tensor_v3";
  if (!v3 && callable != "torch._utils _rebuild_tensor_v2") throw Error("it is not a tensor");
  const PickleValue& arguments = *value.items[1];
  const PickleValue& storage = item(item(arguments, 0, Kind::kPersistent), 0, Kind::kTuple);
  const Element element = element_of(v3 ? item(arguments, 6, Kind::kGlobal) : item(storage, 1, Kind::kGlobal));
  const PickleValue& sizes = item(arguments, 2, Kind::kTuple);
  if (sizes.items.size() != 1) throw Error("it must have one dimension");
  const std::int64_t size = item(sizes, 0, Kind::kInteger).integer;
  const std::int64_t offset = item(arguments, 1, Kind::kInteger).integer;
  if (item(item(arguments, 3, Kind::kTuple), 0, Kind::kInteger).integer != 1 && size > 1) {
    throw Error("its values do not lie side by side; save tensor.contiguous()");
  }
  const auto record = records.find(prefix + "data/" + item(storage, 2, Kind::kText).text);
  if (record == records.end()) throw Error("its values are missing");
  const auto available = static_cast<std::int64_t>(record->second.size() / element.width);
  if (size < 0 || offset < 0 || offset > available || size > available - offset) {
    throw Error(fmt::format("it should have {} values, but the file holds {} (truncated copy?)", size, available));
  }
  const auto bytes = record->second.subspan(static_cast<std::size_t>(offset) * element.width,
                                            static_cast<std::size_t>(size) * element.width);
  return {bytes, element.width, element.is_signed};
}

std::string read_text(const PickleValue& value) {
  if (value.kind != Kind::kText) throw Error("it must be text");
  return value.text;
}

std::int64_t read_integer(const PickleValue& value) {
  if (value.kind != Kind::kInteger) throw Error("it must be an integer");
  return value.integer;
}

std::vector<std::string> read_texts(const PickleValue& value) {
  if (value.kind != Kind::kList) throw Error("it must be a list");
  std::vector<std::string> texts;
  for (const PickleValue* one : value.items) texts.push_back(read_text(*one));
  return texts;
}

class TorchShard : public StoredShard {
 public:
  explicit TorchShard(std::filesystem::path path) : path_(std::move(path)), file_(path_) {
    try {
      load();
    } catch (const Error& error) {
      throw Error(fmt::format("shard {}: {}", path_.string(), error.what()));
    }
    check_offsets(path_, offsets_, size());
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(tokens_.size()); }
  const std::vector<std::int64_t>& offsets() const override { return offsets_; }
  const ShardChecksums& checksums() const override { return checksums_; }
  PieceTexts texts() const override { return texts_; }

  void read(std::int64_t begin, std::span<TokenId> out) const override {
    check_range(path_, begin, out.size(), size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<TokenId>(tokens_.at(static_cast<std::size_t>(begin) + i));
    }
  }

 private:
  void load() {
    const Records records = zip_records(file_.bytes());
    const auto data = std::ranges::find_if(records, [](const auto& one) { return one.first.ends_with("/data.pkl"); });
    if (data == records.end()) throw Error("not a file of torch.save: it has no data.pkl");
    const std::string prefix = data->first.substr(0, data->first.size() - std::strlen("data.pkl"));
    const Pickle pickle(data->second);
    const auto entry = [&](const char* name, const auto& read) {
      const PickleValue* value = pickle.root().find(name);
      if (value == nullptr) throw Error(fmt::format("'{}' is missing", name));
      try {
        return read(*value);
      } catch (const Error& error) {
        throw Error(fmt::format("'{}' cannot be used: {}", name, error.what()));
      }
    };
    const auto tensor = [&](const PickleValue& value) { return read_tensor(value, records, prefix); };
    check_shard_version(path_, entry("version", read_integer));
    checksums_ = {entry("vocabulary_checksum", read_text), entry("tokens_checksum", read_text),
                  entry("offsets_checksum", read_text)};
    tokens_ = entry("tokens", tensor);
    const Column offsets = entry("offsets", tensor);
    offsets_.resize(offsets.size());
    for (std::size_t i = 0; i < offsets.size(); ++i) offsets_[i] = offsets.at(i);
    texts_ = {entry("composer", read_texts), entry("title", read_texts), entry("labels", read_texts)};
  }

  std::filesystem::path path_;
  MappedFile file_;
  Column tokens_;
  std::vector<std::int64_t> offsets_;
  ShardChecksums checksums_;
  PieceTexts texts_;
};

struct TensorKind {
  const char* storage;  ///< class of its storage in the older way of writing tensors
  const char* dtype;    ///< set for dtypes that have no such class
  std::size_t width;
};

TensorKind kind_of(TokenType type) {
  switch (type) {
    case TokenType::kUint8:
      return {"ByteStorage", nullptr, 1};
    case TokenType::kUint16:
      return {nullptr, "uint16", 2};
    case TokenType::kUint32:
      return {nullptr, "uint32", 4};
  }
  throw Error("no such token type");
}

void write_tensor(PickleWriter& pickle, const TensorKind& kind, const char* record, std::size_t bytes) {
  const auto size = static_cast<std::int64_t>(bytes / kind.width);
  pickle.global("torch._utils", kind.dtype != nullptr ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2").begin_tuple();
  pickle.begin_tuple().text("storage");
  // An untyped storage counts bytes, a typed one elements.
  if (kind.dtype != nullptr) {
    pickle.global("torch.storage", "UntypedStorage").text(record).text("cpu").integer(static_cast<std::int64_t>(bytes));
  } else {
    pickle.global("torch", kind.storage).text(record).text("cpu").integer(size);
  }
  pickle.end_tuple().persistent();
  pickle.integer(0).begin_tuple().integer(size).end_tuple().begin_tuple().integer(1).end_tuple();
  pickle.boolean(false).global("collections", "OrderedDict").begin_tuple().end_tuple().call();
  if (kind.dtype != nullptr) pickle.global("torch", kind.dtype);
  pickle.end_tuple().call();
}

void write_texts(PickleWriter& pickle, const std::vector<std::string>& texts) {
  pickle.begin_list();
  for (const std::string& text : texts) pickle.text(text);
  pickle.end_list();
}

}  // namespace

std::unique_ptr<StoredShard> open_torch_shard(const std::filesystem::path& file) {
  return std::make_unique<TorchShard>(file);
}

void write_torch_shard(const std::filesystem::path& file, const ShardContent& content) {
  const auto offsets = std::as_bytes(std::span(content.offsets));
  PickleWriter pickle;
  pickle.begin_dictionary();
  pickle.text("format").text("etude-shard").text("version").integer(kShardVersion);
  pickle.text("vocabulary_checksum").text(content.checksums.vocabulary);
  pickle.text("tokens_checksum").text(content.checksums.tokens);
  pickle.text("offsets_checksum").text(content.checksums.offsets);
  pickle.text("tokens");
  write_tensor(pickle, kind_of(content.type), "0", content.tokens.size());
  pickle.text("offsets");
  write_tensor(pickle, {"LongStorage", nullptr, 8}, "1", offsets.size());
  pickle.text("composer");
  write_texts(pickle, content.texts.composers);
  pickle.text("title");
  write_texts(pickle, content.texts.titles);
  pickle.text("labels");
  write_texts(pickle, content.texts.labels);
  pickle.end_dictionary();

  ZipWriter zip(file);
  zip.add("archive/data.pkl", pickle.finish());
  zip.add("archive/byteorder", "little");
  zip.add("archive/data/0", content.tokens);
  zip.add("archive/data/1", offsets);
  zip.add("archive/version", "3\n");
  zip.finish();
}

}  // namespace etude::data
