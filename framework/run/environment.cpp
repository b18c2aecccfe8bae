#include "framework/run/environment.h"

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <torch/version.h>

#include "framework/files/files.h"
#include "framework/files/posix.h"

namespace etude::run {
namespace {

/// The value of a "key : value" line of a file under /proc, or empty.
std::string proc_value(const char* file, const std::string& key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const auto colon = line.find(':');
    if (line.compare(0, key.size(), key) == 0 && colon != std::string::npos) {
      const auto start = line.find_first_not_of(" \t", colon + 1);
      return start == std::string::npos ? "" : line.substr(start);
    }
  }
  return "";
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

std::string version() { return fmt::format("{} (revision {})", ETUDE_VERSION, ETUDE_REVISION); }

std::string build() { return fmt::format("{}, executable {}", version(), files::hash_file("/proc/self/exe")); }

std::string libtorch() {
  Dl_info info{};
  std::error_code error;
  if (::dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) == 0) return TORCH_VERSION;
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, error);
  const auto bytes = std::filesystem::file_size(file, error);
  return error ? TORCH_VERSION : fmt::format("{} ({} of {} bytes)", TORCH_VERSION, file.filename().string(), bytes);
}

std::string processor() {
  return fmt::format("{}, {}", proc_value("/proc/cpuinfo", "model name"), at::get_cpu_capability());
}

nlohmann::json environment(const std::string& communicator, int ranks, int threads_per_rank) {
  utsname system{};
  uname(&system);
  return {{"etude", ETUDE_VERSION},
          {"revision", ETUDE_REVISION},
          {"libtorch", TORCH_VERSION},
          {"compiler", __VERSION__},
          {"communicator", communicator},
          {"ranks", ranks},
          {"threads_per_rank", threads_per_rank},
          {"started", utc_now()},
          {"host", files::host_name()},
          {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"processor", proc_value("/proc/cpuinfo", "model name")},
          {"cores", std::thread::hardware_concurrency()},
          {"memory", proc_value("/proc/meminfo", "MemTotal")}};
}

}  // namespace etude::run
