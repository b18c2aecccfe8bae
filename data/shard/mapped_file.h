#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace etude::data {

/// A file's bytes as memory, read when they are touched.
class MappedFile {
 public:
  /// Throws Error naming the file.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace etude::data
