#include "sweep/stored_allowance.h"

#include <system_error>
#include <utility>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "sweep/distribution.h"

namespace etude::sweep {
namespace {

constexpr const char *kSeconds = "seconds", *kUntil = "until";

}  // namespace

StoredAllowance::StoredAllowance(std::filesystem::path job_folder) : file_(std::move(job_folder) / "allowance.json") {}

void StoredAllowance::grant(std::optional<double> seconds) const { write(kSeconds, seconds); }

void StoredAllowance::hold_until(std::optional<double> time) const { write(kUntil, time); }

std::optional<double> StoredAllowance::until(double started) const {
  std::error_code unknown;
  if (!std::filesystem::exists(file_, unknown)) return std::nullopt;
  try {
    const Json json = Json::parse(files::read(file_));
    return json.contains(kSeconds) ? started + json.at(kSeconds).get<double>() : json.at(kUntil).get<double>();
  } catch (const Error&) {
  } catch (const Json::exception&) {
  }
  return std::nullopt;
}

void StoredAllowance::write(const char* key, std::optional<double> value) const {
  std::error_code unknown;
  if (!value) {
    std::filesystem::remove(file_, unknown);
    return;
  }
  if (!std::filesystem::is_directory(file_.parent_path(), unknown)) return;  // nobody launched it: nobody restarts it
  try {
    files::write_atomically(file_, Json{{key, *value}}.dump() + "\n");
  } catch (const Error&) {
  }
}

}  // namespace etude::sweep
