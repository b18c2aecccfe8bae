#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/framework/checkpoint/example.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
std::filesystem::path fuzzed_file(std::uint8_t which);

namespace etude::checkpoint {
namespace {

void try_out(std::uint8_t which, std::string content) {
  content.insert(content.begin(), static_cast<char>(which));
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
}

/// The bounded run of the fuzz target: bits flipped, bytes set, stretches doubled or left out, the end cut off.
void damage(std::uint8_t which, int rounds) {
  const std::string good = testing::slurp(fuzzed_file(which));
  std::mt19937 random(which);
  for (int round = 0; round < rounds; ++round) {
    std::string bad = good;
    for (int change = 0; change <= round % 3; ++change) {
      const std::size_t at = random() % bad.size();
      switch (random() % 5) {
        case 0:
          bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
          break;
        case 1:
          bad[at] = static_cast<char>(random() % 256);
          break;
        case 2:
          bad[at] = "0123456789-{}[]\",:.enull"[random() % 24];
          break;
        case 3:
          bad.insert(at, bad.substr(random() % bad.size(), random() % 20));
          break;
        default:
          bad.erase(at, 1 + random() % (round % 7 == 0 ? bad.size() : 8));
      }
      if (bad.empty()) bad = " ";
    }
    try_out(which, bad);
  }
}

TEST(CheckpointFuzz, DamagedManifestsAreErrorsOrHarmless) { damage(0, 400); }
TEST(CheckpointFuzz, DamagedStatesAreErrorsOrHarmless) { damage(1, 150); }
TEST(CheckpointFuzz, DamagedConfigurationsAreErrorsOrHarmless) { damage(2, 100); }
TEST(CheckpointFuzz, DamagedWeightsAreErrorsOrHarmless) { damage(3, 200); }

TEST(CheckpointFuzz, ManifestsThatSpeakOfPlacesInsteadOfFilesAreRefused) {
  const std::string good = testing::slurp(fuzzed_file(0));
  for (const char* name : {"", ".", "..", "../manifest.json", "/etc/passwd", "state.json/"}) {
    auto manifest = nlohmann::json::parse(good);
    manifest["files"][name] = {{"bytes", 4096u}, {"hash", "00"}};
    try_out(0, manifest.dump());
  }
  for (const char* text : {"", "null", "[]", "{}", "\"text\"", "1e999", "{\"format\": 1.5}", "[[[[[[[[", "\xff\xfe",
                           R"({"format": 1, "step": 1e300, "files": {}})", R"({"format": 1, "step": 1, "files": []})",
                           R"({"format": 1, "step": 1, "files": {}, "metric": "best"})",
                           R"({"format": 1, "step": 1, "files": {"state.json": 3}})"}) {
    try_out(0, text);
  }
}

}  // namespace
}  // namespace etude::checkpoint
