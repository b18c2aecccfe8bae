#include "models/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <string_view>

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"

namespace etude::models {

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

constexpr std::uint64_t kLargestHeader = 100'000'000;  // the limit of the format's own library

struct Type {
  std::string_view name;
  at::ScalarType scalar;
};
constexpr std::array kTypes = {
    Type{"BOOL", at::kBool},
    Type{"U8", at::kByte},
    Type{"I8", at::kChar},
    Type{"I16", at::kShort},
    Type{"U16", at::kUInt16},
    Type{"I32", at::kInt},
    Type{"U32", at::kUInt32},
    Type{"I64", at::kLong},
    Type{"U64", at::kUInt64},
    Type{"F16", at::kHalf},
    Type{"BF16", at::kBFloat16},
    Type{"F32", at::kFloat},
    Type{"F64", at::kDouble},
    Type{"F8_E4M3", at::kFloat8_e4m3fn},
    Type{"F8_E5M2", at::kFloat8_e5m2},
};

template <typename... Arguments>
[[noreturn]] void fail(const std::filesystem::path& file, fmt::format_string<Arguments...> format,
                       Arguments&&... arguments) {
  throw Error(fmt::format("{}: {}", file.string(), fmt::format(format, std::forward<Arguments>(arguments)...)));
}

/// Where a tensor lies in the file's data, checked against its shape.
struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

/// Reads and checks one file's header.
class HeaderReader {
 public:
  HeaderReader(const std::filesystem::path& file, std::uint64_t data_size) : file_(file), data_size_(data_size) {}

  /// The tensors in the order of their data, which they cover without gap or overlap.
  std::vector<Entry> read(std::string_view text) const {
    const nlohmann::json header = parse(text);
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name != "__metadata__") entries.push_back(entry(name, value));
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
    std::uint64_t covered = 0;
    for (const Entry& tensor : entries) {
      if (tensor.begin != covered) {
        fail(file_, "tensor '{}' begins at byte {} of the data but the one before ends at {} ({})", tensor.name,
             tensor.begin, covered, tensor.begin < covered ? "they overlap" : "a gap");
      }
      covered = tensor.end;
    }
    if (covered != data_size_) {
      fail(file_, "the tensors end at byte {} of the data but the file has {} (truncated copy?)", covered, data_size_);
    }
    return entries;
  }

 private:
  nlohmann::json parse(std::string_view text) const {
    std::set<std::string> names;
    const auto once = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
      if (depth == 1 && event == nlohmann::json::parse_event_t::key && !names.insert(value.get<std::string>()).second) {
        fail(file_, "the header names tensor '{}' twice", value.get<std::string>());
      }
      return true;
    };
    try {
      nlohmann::json header = nlohmann::json::parse(text, once);
      if (!header.is_object()) fail(file_, "the header is not a JSON object: not a safetensors file");
      return header;
    } catch (const nlohmann::json::exception& problem) {
      fail(file_, "the header is not JSON ({}): not a safetensors file, or a damaged one", problem.what());
    }
  }

  Entry entry(const std::string& name, const nlohmann::json& value) const {
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets")) {
      fail(file_, "tensor '{}' lacks dtype, shape or data_offsets", name);
    }
    Entry result;
    result.name = name;
    const nlohmann::json& type = value["dtype"];
    const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& candidate) {
      return type.is_string() && candidate.name == type.get_ref<const std::string&>();
    });
    if (known == kTypes.end()) fail(file_, "tensor '{}' has an unknown type {}", name, type.dump());
    result.type = known->scalar;

    const std::vector<std::uint64_t> offsets = naturals(name, "data_offsets", value["data_offsets"]);
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size_) {
      fail(file_, "tensor '{}' has offsets {} in data of {} bytes (truncated copy?)", name,
           value["data_offsets"].dump(), data_size_);
    }
    result.begin = offsets[0];
    result.end = offsets[1];

    std::uint64_t size = c10::elementSize(result.type);
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
    for (const std::uint64_t length : naturals(name, "shape", value["shape"])) {
      if (length > kLargest || __builtin_mul_overflow(size, length, &size) || size > kLargest) {
        fail(file_, "tensor '{}' has an impossible shape {}", name, value["shape"].dump());
      }
      result.shape.push_back(static_cast<std::int64_t>(length));
    }
    if (size != result.end - result.begin) {
      fail(file_, "tensor '{}' of shape {} and type {} needs {} bytes but has {}", name, value["shape"].dump(),
           type.dump(), size, result.end - result.begin);
    }
    return result;
  }

  std::vector<std::uint64_t> naturals(const std::string& name, std::string_view what,
                                      const nlohmann::json& list) const {
    std::vector<std::uint64_t> result;
    if (!list.is_array()) fail(file_, "tensor '{}': {} is not a list", name, what);
    for (const nlohmann::json& number : list) {
      if (!number.is_number_unsigned())
        fail(file_, "tensor '{}': {} has {}, not a natural number", name, what, number.dump());
      result.push_back(number.get<std::uint64_t>());
    }
    return result;
  }

  const std::filesystem::path& file_;
  std::uint64_t data_size_;
};

std::string_view type_name(at::ScalarType scalar) {
  for (const Type& type : kTypes) {
    if (type.scalar == scalar) return type.name;
  }
  throw Error(fmt::format("safetensors has no type for {}", c10::toString(scalar)));
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Widest types first, so that every tensor is aligned to its elements for readers that map the file.
  std::vector<std::pair<std::string, at::Tensor>> ordered = tensors;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.second.element_size() > b.second.element_size(); });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  header["__metadata__"] = metadata;
  header["__metadata__"].emplace("format", "pt");  // transformers opens no file without it
  std::uint64_t offset = 0;
  std::set<std::string_view> names;
  for (const auto& [name, tensor] : ordered) {
    if (name == "__metadata__" || !names.insert(name).second) {
      throw Error(
          fmt::format("{}: cannot write a tensor named '{}' (reserved, or there already)", file.string(), name));
    }
    const std::uint64_t end = offset + tensor.nbytes();
    header[name] = {
        {"dtype", type_name(tensor.scalar_type())}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  errno = 0;
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  const std::uint64_t length = text.size();
  stream.write(reinterpret_cast<const char*>(&length), sizeof(length));
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const auto& [name, tensor] : ordered) {
    const at::Tensor data = tensor.detach().cpu().contiguous();
    stream.write(static_cast<const char*>(data.const_data_ptr()), static_cast<std::streamsize>(data.nbytes()));
  }
  stream.close();
  if (!stream)
    throw Error(fmt::format("{}: cannot write the weights: {}", file.string(),
                            errno != 0 ? std::strerror(errno) : "for a reason the system does not tell"));
}

NamedTensors read_safetensors(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) throw Error(fmt::format("{}: cannot be opened", file.string()));
  const auto size = static_cast<std::uint64_t>(stream.tellg());
  stream.seekg(0);
  std::uint64_t length = 0;
  if (size < sizeof(length)) fail(file, "{} bytes are too few for a safetensors file", size);
  stream.read(reinterpret_cast<char*>(&length), sizeof(length));
  if (length > size - sizeof(length) || length > kLargestHeader) {
    fail(file, "the header claims {} bytes of a file of {} (truncated copy, or not a safetensors file)", length, size);
  }
  std::string text(length, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  if (!stream) fail(file, "reading the header failed");

  NamedTensors tensors;
  for (const Entry& entry : HeaderReader(file, size - sizeof(length) - length).read(text)) {
    at::Tensor tensor = at::empty(entry.shape, entry.type);
    stream.read(static_cast<char*>(tensor.mutable_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
    if (!stream) fail(file, "reading tensor '{}' failed", entry.name);
    tensors.emplace_back(entry.name, std::move(tensor));
  }
  return tensors;
}

}  // namespace etude::models
