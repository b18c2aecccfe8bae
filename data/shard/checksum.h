#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace etude::data {

/// files::hash of bytes that come piece by piece: the same 32 digits as of all of them at once.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void add(std::span<const std::byte> bytes);
  std::string digits() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etude::data
