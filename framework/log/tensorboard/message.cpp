#include "framework/log/tensorboard/message.h"

#include <bit>

namespace etude::tensorboard {

void append_little_endian(std::string& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

void Message::tag(int field, Wire wire) {
  varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire));
}

void Message::number(double value) { append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8); }

Message& Message::integer(int field, std::int64_t value) {
  tag(field, Wire::kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

Message& Message::number(int field, double value) {
  tag(field, Wire::kEightBytes);
  number(value);
  return *this;
}

Message& Message::short_number(int field, float value) {
  tag(field, Wire::kFourBytes);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
  return *this;
}

Message& Message::text(int field, std::string_view value) {
  tag(field, Wire::kSized);
  varint(value.size());
  bytes_ += value;
  return *this;
}

Message& Message::numbers(int field, std::span<const double> values) {
  tag(field, Wire::kSized);
  varint(8 * values.size());
  for (const double value : values) number(value);
  return *this;
}

}  // namespace etude::tensorboard
