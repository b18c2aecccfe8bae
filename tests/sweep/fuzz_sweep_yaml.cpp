#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "framework/config/document.h"
#include "sweep/sweep_file.h"

// Whatever stands in a sweep file or behind --set, it is either refused with complaints or understood; and what was
// understood is written so that it is understood again in the same way. What follows a zero byte is an assignment.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude::sweep;
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), input.size());
  std::vector<std::string> assignments;
  if (end < input.size()) assignments.push_back(input.substr(end + 1));

  std::unique_ptr<SweepFile> sweep;
  try {
    sweep = load_sweep_text(input.substr(0, end), "fuzz.yaml", assignments);
  } catch (const etude::config::ConfigError& error) {
    if (error.complaints().empty()) std::abort();
    return 0;
  }
  const std::string written = to_yaml(*sweep);
  if (to_yaml(*load_sweep_text(written, "written.yaml")) != written) std::abort();
  return 0;
}
