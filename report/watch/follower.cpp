#include "report/watch/follower.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace etude::report::watch {
namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::uint64_t kTail = 16 * 1024;

/// A file opened for reading, if it is there.
class Opened {
 public:
  explicit Opened(const std::filesystem::path& file) : descriptor_(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ >= 0 && (fstat(descriptor_, &facts_) != 0 || !S_ISREG(facts_.st_mode))) {
      close(descriptor_);
      descriptor_ = -1;
    }
  }
  ~Opened() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  std::uint64_t size() const { return static_cast<std::uint64_t>(facts_.st_size); }
  std::uint64_t inode() const { return facts_.st_ino; }
  double changed() const {
    return static_cast<double>(facts_.st_mtim.tv_sec) + 1e-9 * static_cast<double>(facts_.st_mtim.tv_nsec);
  }

 private:
  int descriptor_;
  struct stat facts_ {};
};

/// As much of [begin, end) as there is.
std::string read_part(int descriptor, std::uint64_t begin, std::uint64_t end) {
  std::string text(end - begin, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = pread(descriptor, text.data() + have, text.size() - have, static_cast<off_t>(begin + have));
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  return text;
}

std::uint64_t hash_of(std::string_view line) { return std::hash<std::string_view>{}(line); }

}  // namespace

News Follower::poll() {
  News news;
  const Opened file(file_);
  const bool same = file && file.size() == size_ && file.changed() == changed_ && file.inode() == inode_;
  if (same && exists_) return news;

  const std::size_t kept = file ? still_there(file.descriptor(), file.size()) : 0;
  news.dropped = lines_.size() - kept;
  lines_.resize(kept);
  exists_ = static_cast<bool>(file);
  changed_ = file ? file.changed() : 0;
  size_ = file ? file.size() : 0;
  inode_ = file ? file.inode() : 0;
  if (file) read_on(file.descriptor(), news);
  return news;
}

/// How many of the lines that are known still stand in the file: they are its first ones, since a file is only ever cut
/// at its end.
std::size_t Follower::still_there(int descriptor, std::uint64_t size) const {
  const auto behind = std::ranges::upper_bound(lines_, size, {}, &Line::end);
  std::size_t most = static_cast<std::size_t>(behind - lines_.begin());
  if (most == 0 || is_as_it_was(descriptor, most - 1)) return most;
  const auto known = std::views::iota(std::size_t{0}, most);
  const auto kept =
      std::ranges::partition_point(known, [&](std::size_t line) { return is_as_it_was(descriptor, line); });
  return static_cast<std::size_t>(kept - known.begin());
}

bool Follower::is_as_it_was(int descriptor, std::size_t line) const {
  const std::uint64_t begin = line == 0 ? 0 : lines_[line - 1].end;
  return hash_of(read_part(descriptor, begin, lines_[line].end)) == lines_[line].hash;
}

void Follower::read_on(int descriptor, News& news) {
  std::uint64_t at = lines_.empty() ? 0 : lines_.back().end;
  std::string rest;  // of a line that goes on in the next block
  while (true) {
    const std::uint64_t from = at + rest.size();
    const std::string block = read_part(descriptor, from, from + kBlock);
    if (block.empty()) return;
    rest += block;
    std::size_t begin = 0;
    for (std::size_t newline = rest.find('\n'); newline != rest.npos; newline = rest.find('\n', begin)) {
      const std::string_view line(rest.data() + begin, newline + 1 - begin);
      at += line.size();
      lines_.push_back({at, hash_of(line)});
      news.lines.emplace_back(line.substr(0, line.size() - 1));
      begin = newline + 1;
    }
    rest.erase(0, begin);
  }
}

std::vector<std::string> last_lines(const std::filesystem::path& path, std::size_t most) {
  std::vector<std::string> lines;
  const Opened file(path);
  if (!file) return lines;
  const std::uint64_t begin = file.size() > kTail ? file.size() - kTail : 0;
  std::string_view text;
  const std::string whole = read_part(file.descriptor(), begin, file.size());
  text = whole;
  if (begin > 0) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  while (lines.size() < most && !text.empty()) {
    const std::size_t end = text.rfind('\n');
    if (end == text.npos) break;
    text = text.substr(0, end + 1);
    const std::size_t before = end == 0 ? text.npos : text.rfind('\n', end - 1);
    const std::size_t start = before == text.npos ? 0 : before + 1;
    lines.emplace_back(text.substr(start, end - start));
    text = text.substr(0, start);
  }
  std::ranges::reverse(lines);
  return lines;
}

}  // namespace etude::report::watch
