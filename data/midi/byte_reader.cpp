#include "data/midi/byte_reader.h"

#include <fmt/core.h>

#include "framework/config/error.h"

namespace etude::data::midi {

std::uint32_t ByteReader::big_endian(int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | byte();
  return value;
}

std::uint32_t ByteReader::long_variable_length() {
  const std::size_t begin = offset();
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t next = byte();
    value = value << 7 | (next & 0x7Fu);
    if (next < 0x80) return value;
  }
  fail(begin, "a number of more than four bytes where a delta time or a length should be");
}

ByteReader ByteReader::part(std::size_t size, const char* what) {
  if (size > remaining()) {
    fail(offset(),
         fmt::format("{} should have {} bytes, but only {} are left (truncated file?)", what, size, remaining()));
  }
  ByteReader result(bytes_.subspan(position_, size), *name_, offset());
  position_ += size;
  return result;
}

std::string ByteReader::text() const { return {reinterpret_cast<const char*>(bytes_.data()) + position_, remaining()}; }

void ByteReader::fail(std::size_t offset, const std::string& what) const {
  throw Error(fmt::format("{}: byte {}: {}", *name_, offset, what));
}

void ByteReader::fail_at_end() const { fail(offset(), "ends in the middle of an event (truncated file?)"); }

void ByteReader::fail_not_data(std::uint8_t value) const {
  fail(offset() - 1, fmt::format("a data byte should be below 0x80, but this one is {:#04x}", value));
}

}  // namespace etude::data::midi
