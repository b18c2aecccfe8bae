#pragma once

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <time.h>

namespace etude::bench {

/// Seconds by the wall and seconds of the processor, those of all threads together. On a machine that others use too
/// the second says more.
struct Seconds {
  double wall = 0, cpu = 0;
};

inline Seconds now() {
  const auto read = [](clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  return {read(CLOCK_MONOTONIC), read(CLOCK_PROCESS_CPUTIME_ID)};
}
inline Seconds operator-(Seconds a, Seconds b) { return {a.wall - b.wall, a.cpu - b.cpu}; }

inline Seconds median(std::vector<Seconds> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  Seconds result;
  std::nth_element(times.begin(), middle, times.end(), [](Seconds a, Seconds b) { return a.cpu < b.cpu; });
  result.cpu = middle->cpu;
  std::nth_element(times.begin(), middle, times.end(), [](Seconds a, Seconds b) { return a.wall < b.wall; });
  result.wall = middle->wall;
  return result;
}

/// Prints the line with the most memory this process has had, in MiB.
inline void print(nlohmann::json line) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  line["peak_mib"] = static_cast<double>(usage.ru_maxrss) / 1024;
  fmt::print("{}\n", line.dump());
}

}  // namespace etude::bench
