#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etude::data {

/// The records of a zip whose records are stored as they are, without compression, as torch.save writes it.
/// Throws Error (without naming the file) when it is not one. The records point into `bytes`.
std::map<std::string, std::span<const std::byte>> zip_records(std::span<const std::byte> bytes);

/// Writes such a zip, each record aligned to 64 bytes so that tensors can be used where they lie.
class ZipWriter {
 public:
  /// `file` must not be there yet. Throws Error naming it, as the others do.
  explicit ZipWriter(std::filesystem::path file);
  void add(const std::string& name, std::span<const std::byte> record);
  void add(const std::string& name, std::string_view record) { add(name, std::as_bytes(std::span(record))); }
  /// Writes the directory of records; nothing can be added afterwards.
  void finish();

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint32_t checksum = 0;
  };
  void write(std::span<const std::byte> bytes);

  std::filesystem::path file_;
  std::ofstream stream_;
  std::uint64_t position_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace etude::data
