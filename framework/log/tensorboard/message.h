#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace etude::tensorboard {

/// Writes a message in the encoding of Protocol Buffers (protobuf.dev, "Encoding"), field by field. We write it
/// ourselves because libtorch_cpu.so exports a protobuf of its own: another in one process would be taken for it, or
/// the reverse.
class Message {
 public:
  Message& integer(int field, std::int64_t value);
  Message& number(int field, double value);       ///< of type double
  Message& short_number(int field, float value);  ///< of type float
  Message& text(int field, std::string_view value);
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  Message& numbers(int field, std::span<const double> values);  ///< repeated double, packed

  const std::string& bytes() const { return bytes_; }

 private:
  enum class Wire : std::uint64_t { kVarint = 0, kEightBytes = 1, kSized = 2, kFourBytes = 5 };
  void tag(int field, Wire wire);
  void varint(std::uint64_t value);
  void number(double value);

  std::string bytes_;
};

/// The lowest so many bytes of a number, the lowest first.
void append_little_endian(std::string& bytes, std::uint64_t value, int size);

}  // namespace etude::tensorboard
