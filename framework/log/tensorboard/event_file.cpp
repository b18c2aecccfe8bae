#include "framework/log/tensorboard/event_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "framework/files/posix.h"
#include "framework/log/tensorboard/crc32c.h"

namespace etude::tensorboard {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::int64_t kStart = 1;  ///< SessionLog.SessionStatus

// Fields of tensorflow.Event.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;

std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8U; }

/// The seconds in the names of a folder's event files, the highest of them; nothing where there are none.
std::optional<std::int64_t> latest_in(const fs::path& folder) {
  std::optional<std::int64_t> latest;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    std::int64_t seconds = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), seconds);
    latest = std::max(latest.value_or(seconds), seconds);
  }
  return latest;
}

}  // namespace

std::string framed(std::string_view bytes) {
  std::string record;
  record.reserve(bytes.size() + 16);
  append_little_endian(record, bytes.size(), 8);
  append_little_endian(record, masked_crc(record), 4);
  record += bytes;
  append_little_endian(record, masked_crc(bytes), 4);
  return record;
}

EventFile::EventFile(const fs::path& folder, std::int64_t done, double time) {
  std::error_code trouble;
  fs::create_directories(folder, trouble);
  if (trouble) {
    errno = trouble.value();
    files::fail("make", folder);
  }
  const auto latest = latest_in(folder);
  const std::int64_t seconds = std::max(static_cast<std::int64_t>(time), latest.value_or(-1) + 1);
  path_ = folder / fmt::format("{}{:010}.{}.{}", kPrefix, seconds, files::host_name(), ::getpid());
  file_.emplace(path_, O_WRONLY | O_CREAT | O_APPEND, 0666);

  pending_ = framed(Message().number(kWallTime, time).text(kFileVersion, "brain.Event:2").bytes());
  if (latest) {
    const Message start = Message().integer(1, kStart);
    pending_ += framed(
        Message().number(kWallTime, time).integer(kStep, done > 0 ? done + 1 : 0).message(kSessionLog, start).bytes());
  }
  flush();
}

void EventFile::add(std::int64_t step, double time, const Message& summary) {
  pending_ += framed(Message().number(kWallTime, time).integer(kStep, step).message(kSummary, summary).bytes());
}

void EventFile::flush() {
  const std::string bytes = std::exchange(pending_, {});
  const off_t before = ::lseek(file_->get(), 0, SEEK_END);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_->get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int reason = written < 0 ? errno : ENOSPC;
      // When even that fails the file ends in half an event, and readers stop there.
      (void)!::ftruncate(file_->get(), before);
      errno = reason;
      files::fail("write", path_);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace etude::tensorboard
