// The layout is PKWARE's APPNOTE 6.3, with its 64-bit extensions: a shard may pass 4 GiB.
#include "data/shard/zip.h"

#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kDirectoryEnd = 0x06054b50;
constexpr std::uint32_t kDirectoryEnd64 = 0x06064b50;
constexpr std::uint32_t kDirectoryLocator64 = 0x07064b50;
constexpr std::size_t kLocalHeaderSize = 30, kDirectoryEntrySize = 46, kDirectoryEndSize = 22;
constexpr std::size_t kDirectoryEnd64Size = 56, kDirectoryLocator64Size = 20;
constexpr std::uint32_t kElsewhere32 = 0xffffffff;  // "the 64-bit extension has the number"
constexpr std::uint16_t kExtra64 = 1;               // id of that extension among an entry's extra fields
constexpr std::uint16_t kExtraPadding = 0x4246;     // id that PyTorch gives its padding ("FB")
constexpr std::size_t kAlignment = 64;

/// Reads little-endian numbers, never past the end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::uint64_t position) : bytes_(bytes) { skip(position); }
  template <typename Number>
  Number take() {
    Number number{};
    const auto from = take_bytes(sizeof number);
    std::memcpy(&number, from.data(), sizeof number);
    return number;
  }
  std::span<const std::byte> take_bytes(std::uint64_t count) {
    if (count > bytes_.size()) throw Error("the zip ends in the middle of a record (truncated or damaged copy?)");
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  void skip(std::uint64_t count) { take_bytes(count); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
};

/// Looks for the end record from the end of the file: a comment of up to 64 KiB may follow it.
std::optional<std::size_t> find_directory_end(std::span<const std::byte> bytes) {
  if (bytes.size() < kDirectoryEndSize) return std::nullopt;
  const std::size_t last = bytes.size() - kDirectoryEndSize;
  const std::size_t first = last > 0xffff ? last - 0xffff : 0;
  for (std::size_t position = last + 1; position-- > first;) {
    if (Cursor(bytes, position).take<std::uint32_t>() == kDirectoryEnd) return position;
  }
  return std::nullopt;
}

Directory read_directory_end(std::span<const std::byte> bytes) {
  const auto end = find_directory_end(bytes);
  if (!end) throw Error("not a zip, or its end is missing (truncated copy?)");
  if (*end >= kDirectoryLocator64Size) {
    Cursor locator(bytes, *end - kDirectoryLocator64Size);
    if (locator.take<std::uint32_t>() == kDirectoryLocator64) {
      locator.skip(4);
      Cursor end64(bytes, locator.take<std::uint64_t>());
      if (end64.take<std::uint32_t>() != kDirectoryEnd64) throw Error("the zip's directory is damaged");
      end64.skip(8 + 2 + 2 + 4 + 4 + 8);
      const auto entries = end64.take<std::uint64_t>();
      end64.skip(8);
      return {end64.take<std::uint64_t>(), entries};
    }
  }
  Cursor cursor(bytes, *end + 10);
  const auto entries = cursor.take<std::uint16_t>();
  cursor.skip(4);
  return {cursor.take<std::uint32_t>(), entries};
}

/// Takes the 64-bit values, in their fixed order, of those fields that say they are elsewhere.
void read_extra64(std::span<const std::byte> extra, std::array<std::uint64_t*, 3> fields) {
  Cursor cursor(extra, 0);
  while (!cursor.empty()) {
    const auto id = cursor.take<std::uint16_t>();
    const auto content = cursor.take_bytes(cursor.take<std::uint16_t>());
    if (id != kExtra64) continue;
    Cursor values(content, 0);
    for (std::uint64_t* field : fields) {
      if (*field == kElsewhere32) *field = values.take<std::uint64_t>();
    }
  }
}

std::span<const std::byte> record_at(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t size) {
  Cursor cursor(bytes, offset);
  if (cursor.take<std::uint32_t>() != kLocalHeader) throw Error("a record of the zip is not where its directory says");
  cursor.skip(22);
  const auto name = cursor.take<std::uint16_t>();
  const auto extra = cursor.take<std::uint16_t>();
  cursor.skip(std::uint64_t{name} + extra);
  return cursor.take_bytes(size);
}

std::uint32_t crc32(std::span<const std::byte> bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xedb88320 ^ (value >> 1) : value >> 1;
      values[i] = value;
    }
    return values;
  }();
  std::uint32_t state = 0xffffffff;
  for (const std::byte byte : bytes) state = table[(state ^ static_cast<std::uint32_t>(byte)) & 0xff] ^ (state >> 8);
  return ~state;
}

/// Puts little-endian numbers one after the other.
class Buffer {
 public:
  template <typename Number>
  Buffer& put(std::type_identity_t<Number> number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Buffer& put(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
};

constexpr std::uint16_t kVersion = 45;  // the first with 64-bit extensions
constexpr std::uint16_t kUtf8Names = 0x800;
constexpr std::uint16_t kNoTime = 0, kNoDate = 0x21;  // 1 January 1980: the same content, the same bytes

}  // namespace

std::map<std::string, std::span<const std::byte>> zip_records(std::span<const std::byte> bytes) {
  const Directory directory = read_directory_end(bytes);
  std::map<std::string, std::span<const std::byte>> records;
  Cursor cursor(bytes, directory.offset);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (cursor.take<std::uint32_t>() != kDirectoryEntry) throw Error("the zip's directory is damaged");
    cursor.skip(6);
    const auto method = cursor.take<std::uint16_t>();
    cursor.skip(8);
    std::uint64_t stored_size = cursor.take<std::uint32_t>();
    std::uint64_t size = cursor.take<std::uint32_t>();
    const auto name_size = cursor.take<std::uint16_t>();
    const auto extra_size = cursor.take<std::uint16_t>();
    const auto comment_size = cursor.take<std::uint16_t>();
    cursor.skip(8);
    std::uint64_t offset = cursor.take<std::uint32_t>();
    const auto name = cursor.take_bytes(name_size);
    read_extra64(cursor.take_bytes(extra_size), {&size, &stored_size, &offset});
    cursor.skip(comment_size);
    if (method != 0 || stored_size != size)
      throw Error("a record of the zip is compressed; torch.save stores them plain");
    records[std::string(reinterpret_cast<const char*>(name.data()), name.size())] = record_at(bytes, offset, size);
  }
  return records;
}

ZipWriter::ZipWriter(std::filesystem::path file) : file_(std::move(file)) {
  if (std::filesystem::exists(file_)) throw Error(fmt::format("{} is there already", file_.string()));
  stream_.open(file_, std::ios::binary);
  if (!stream_) throw Error(fmt::format("{} cannot be written", file_.string()));
}

void ZipWriter::write(std::span<const std::byte> bytes) {
  stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream_) throw Error(fmt::format("{} cannot be written (full disk?)", file_.string()));
  position_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> record) {
  const Entry entry{name, position_, record.size(), crc32(record)};
  constexpr std::size_t kExtra64Size = 4 + 16, kPaddingHeader = 4;
  const std::size_t unpadded = position_ + kLocalHeaderSize + name.size() + kExtra64Size + kPaddingHeader;
  const std::size_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  Buffer header;
  header.put<std::uint32_t>(kLocalHeader).put<std::uint16_t>(kVersion).put<std::uint16_t>(kUtf8Names);
  header.put<std::uint16_t>(0).put<std::uint16_t>(kNoTime).put<std::uint16_t>(kNoDate);
  header.put<std::uint32_t>(entry.checksum).put<std::uint32_t>(kElsewhere32).put<std::uint32_t>(kElsewhere32);
  header.put<std::uint16_t>(static_cast<std::uint16_t>(name.size()));
  header.put<std::uint16_t>(static_cast<std::uint16_t>(kExtra64Size + kPaddingHeader + padding)).put(name);
  header.put<std::uint16_t>(kExtra64)
      .put<std::uint16_t>(16)
      .put<std::uint64_t>(entry.size)
      .put<std::uint64_t>(entry.size);
  header.put<std::uint16_t>(kExtraPadding).put<std::uint16_t>(static_cast<std::uint16_t>(padding));
  header.put(std::string(padding, '\0'));
  write(header.bytes());
  write(record);
  entries_.push_back(entry);
}

void ZipWriter::finish() {
  const std::uint64_t directory = position_;
  for (const Entry& entry : entries_) {
    Buffer item;
    item.put<std::uint32_t>(kDirectoryEntry).put<std::uint16_t>(kVersion).put<std::uint16_t>(kVersion);
    item.put<std::uint16_t>(kUtf8Names).put<std::uint16_t>(0).put<std::uint16_t>(kNoTime).put<std::uint16_t>(kNoDate);
    item.put<std::uint32_t>(entry.checksum).put<std::uint32_t>(kElsewhere32).put<std::uint32_t>(kElsewhere32);
    item.put<std::uint16_t>(static_cast<std::uint16_t>(entry.name.size())).put<std::uint16_t>(4 + 24);
    item.put<std::uint16_t>(0).put<std::uint16_t>(0).put<std::uint16_t>(0).put<std::uint32_t>(0);
    item.put<std::uint32_t>(kElsewhere32).put(entry.name);
    item.put<std::uint16_t>(kExtra64).put<std::uint16_t>(24);
    item.put<std::uint64_t>(entry.size).put<std::uint64_t>(entry.size).put<std::uint64_t>(entry.offset);
    write(item.bytes());
  }
  const std::uint64_t end = position_, count = entries_.size();
  Buffer tail;
  tail.put<std::uint32_t>(kDirectoryEnd64).put<std::uint64_t>(kDirectoryEnd64Size - 12);
  tail.put<std::uint16_t>(kVersion).put<std::uint16_t>(kVersion).put<std::uint32_t>(0).put<std::uint32_t>(0);
  tail.put<std::uint64_t>(count)
      .put<std::uint64_t>(count)
      .put<std::uint64_t>(end - directory)
      .put<std::uint64_t>(directory);
  tail.put<std::uint32_t>(kDirectoryLocator64).put<std::uint32_t>(0).put<std::uint64_t>(end).put<std::uint32_t>(1);
  tail.put<std::uint32_t>(kDirectoryEnd).put<std::uint16_t>(0).put<std::uint16_t>(0);
  tail.put<std::uint16_t>(0xffff).put<std::uint16_t>(0xffff);
  tail.put<std::uint32_t>(kElsewhere32).put<std::uint32_t>(kElsewhere32).put<std::uint16_t>(0);
  write(tail.bytes());
  stream_.close();
  if (!stream_) throw Error(fmt::format("{} cannot be written (full disk?)", file_.string()));
}

}  // namespace etude::data
