#include "framework/log/json_lines.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::log {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw Error(fmt::format("{}: {}: {}", file.string(), what, std::strerror(errno)));
}

void cut_at(const std::filesystem::path& file, std::int64_t size) {
  if (truncate(file.c_str(), size) != 0) fail(file, "cannot be shortened");
}

/// Where the half-written last line begins; the file's size when there is none.
std::int64_t end_of_whole_lines(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  std::int64_t end = stream.tellg();
  for (; end > 0; --end) {
    stream.seekg(end - 1);
    if (stream.get() == '\n') break;
  }
  if (!stream) fail(file, "cannot be read");
  return end;
}

const char* name_of_nonfinite(double value) {
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

/// Collects the numbers that JSON cannot write, by their path: {"loss": "nan", "families.Pitch": "inf"}.
void find_nonfinite(const nlohmann::json& value, const std::string& path, nlohmann::json& found) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    found[path] = name_of_nonfinite(value.get<double>());
  } else if (value.is_structured()) {
    for (const auto& member : value.items()) {
      find_nonfinite(member.value(), path.empty() ? member.key() : path + "." + member.key(), found);
    }
  }
}

std::string to_line(const nlohmann::json& object) {
  return with_nonfinite_named(object).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

nlohmann::json with_nonfinite_named(nlohmann::json object) {
  nlohmann::json nonfinite = nlohmann::json::object();
  find_nonfinite(object, "", nonfinite);
  if (!nonfinite.empty()) object["nonfinite"] = std::move(nonfinite);
  return object;
}

JsonLines::JsonLines(const std::filesystem::path& file) : file_(file) {
  descriptor_ = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(file, "cannot be opened for writing");
  const std::int64_t end = end_of_whole_lines(file);
  if (end < lseek(descriptor_, 0, SEEK_END)) cut_at(file, end);
}

JsonLines::~JsonLines() {
  if (descriptor_ >= 0) close(descriptor_);
}

JsonLines::JsonLines(JsonLines&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

JsonLines& JsonLines::operator=(JsonLines&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void JsonLines::write(const nlohmann::json& object) {
  const std::string line = to_line(object);
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) return;
  // A disk that is almost full takes a part; that part goes, so that the file stays readable.
  const int reason = written < 0 ? errno : ENOSPC;
  if (written > 0) cut_at(file_, lseek(descriptor_, 0, SEEK_END) - written);
  errno = reason;
  fail(file_, "cannot be written");
}

void JsonLines::truncate_after(const std::filesystem::path& file, std::int64_t step) {
  if (!std::filesystem::exists(file)) return;
  const std::int64_t end = end_of_whole_lines(file);
  std::ifstream stream(file, std::ios::binary);
  std::int64_t keep = 0;
  std::string line;
  for (std::int64_t number = 1; keep < end && std::getline(stream, line); ++number) {
    const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
    const std::int64_t next = keep + static_cast<std::int64_t>(line.size()) + 1;
    if (!object.is_object()) {
      throw Error(fmt::format("{}:{}: is not a JSON object (delete the line, or move the file away, and resume again)",
                              file.string(), number));
    }
    const auto found = object.find("step");
    if (found != object.end() && found->is_number() && found->get<std::int64_t>() > step) break;
    keep = next;
  }
  stream.close();
  if (keep < static_cast<std::int64_t>(std::filesystem::file_size(file))) cut_at(file, keep);
}

}  // namespace etude::log
