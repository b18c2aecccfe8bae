#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "framework/config/error.h"
#include "launch/cluster.h"
#include "tests/support/damage.h"
#include "tests/support/oracle.h"

/// Whatever stands in a cluster file: it is refused with a word, or understood, and written out so that it is
/// understood again in the same way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude;
  static const testing::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "cluster.yaml";
  const auto load = [&](const std::string& yaml) {
    std::ofstream(file, std::ios::binary) << yaml;
    return launch::load_cluster(file);
  };
  std::string written;
  try {
    written = launch::to_yaml(*load(std::string(reinterpret_cast<const char*>(data), size)));
  } catch (const UsageError& error) {
    testing::require(std::string(error.what()).find("cluster.yaml") != std::string::npos, "a complaint names the file");
    return 0;
  }
  testing::require(launch::to_yaml(*load(written)) == written, "what is written out is read back");
  return 0;
}
