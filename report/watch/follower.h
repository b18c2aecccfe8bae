#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace etude::report::watch {

/// What has happened to a file of lines since it was looked at last.
struct News {
  std::size_t dropped = 0;         ///< so many of the last lines are gone, or others now
  std::vector<std::string> lines;  ///< then these were added, without their newlines
};

/// Follows a file of lines that somebody else appends to, reading nothing twice but half a line at its end. The file
/// may not be there yet, vanish, be replaced, or be cut and written on, as a run does that is resumed: the lines that
/// are still as they were are found by their hashes, and only what comes after them is read.
class Follower {
 public:
  explicit Follower(std::filesystem::path file) : file_(std::move(file)) {}

  News poll();
  bool exists() const { return exists_; }
  /// Seconds since 1970 at which the file last changed; 0 where there is none.
  double changed() const { return changed_; }

 private:
  struct Line {
    std::uint64_t end;  ///< byte behind its newline
    std::uint64_t hash;
  };
  std::size_t still_there(int descriptor, std::uint64_t size) const;
  bool is_as_it_was(int descriptor, std::size_t line) const;
  void read_on(int descriptor, News& news);

  std::filesystem::path file_;
  bool exists_ = false;
  double changed_ = 0;
  std::uint64_t size_ = 0;  ///< when it was looked at last
  std::uint64_t inode_ = 0;
  std::vector<Line> lines_;
};

/// The last whole lines of a file, at most `most`, from its last 16 KiB.
std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t most);

}  // namespace etude::report::watch
