#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace etude::data::midi {

/// Walks over (a part of) a MIDI file and never past its end. Knows where in the file it is, so that errors can say so.
class ByteReader {
 public:
  /// `name` stands for the file in messages and must outlive the reader; `offset` is where `bytes` begins in the file.
  ByteReader(std::span<const std::byte> bytes, const std::string& name, std::size_t offset = 0)
      : bytes_(bytes), name_(&name), offset_(offset) {}

  bool at_end() const { return position_ == bytes_.size(); }
  std::size_t remaining() const { return bytes_.size() - position_; }
  /// Offset in the file of the next byte.
  std::size_t offset() const { return offset_ + position_; }

  std::uint8_t peek() const {
    if (at_end()) fail_at_end();
    return std::to_integer<std::uint8_t>(bytes_[position_]);
  }
  std::uint8_t byte() {
    const std::uint8_t value = peek();
    ++position_;
    return value;
  }
  /// A byte that must be below 128.
  std::uint8_t data_byte() {
    const std::uint8_t value = byte();
    if (value >= 0x80) fail_not_data(value);
    return value;
  }
  std::uint32_t big_endian(int size);
  /// A number of at most four bytes of seven bits, as delta times and lengths are written.
  std::uint32_t variable_length() {
    if (!at_end() && peek() < 0x80) return byte();
    return long_variable_length();
  }
  /// A reader of the next `size` bytes, which this one passes over. `what` names them if there are not so many.
  ByteReader part(std::size_t size, const char* what);
  std::string text() const;

  /// Throws Error: the file's name, the offset and what is wrong.
  [[noreturn]] void fail(std::size_t offset, const std::string& what) const;

 private:
  std::uint32_t long_variable_length();
  [[noreturn]] void fail_at_end() const;
  [[noreturn]] void fail_not_data(std::uint8_t value) const;

  std::span<const std::byte> bytes_;
  const std::string* name_;
  std::size_t offset_ = 0;
  std::size_t position_ = 0;
};

}  // namespace etude::data::midi
