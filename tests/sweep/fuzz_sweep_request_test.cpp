#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::sweep {
namespace {

// The bounded run of the fuzz target: it aborts when an answer is no JSON, or a status none of the manual's.
TEST(SweepRequestFuzz, MutationsOfRequestsAreAnsweredInJson) {
  const std::vector<std::string> kSeeds{
      "POST /api/trials\n{\"request\": \"a\", \"worker\": {\"name\": \"w\", \"host\": \"h\", \"gpus\": 1}}",
      "POST /api/trials/1/reports\n{\"reports\": [{\"step\": 1, \"value\": 0.5}, {\"step\": 2, \"metrics\": {\"a\": "
      "\"nan\"}}]}",
      "POST /api/trials/1/reports\n{\"reports\": [{\"step\": 1, \"value\": NaN}, {\"step\": 2, \"value\": -Infinity}]}",
      "POST /api/trials/1/end\n{\"state\": \"COMPLETE\", \"values\": [1.5], \"reason\": \"\\u00e9\\ud83c\\udfb9\"}",
      "POST /api/enqueue\n{\"request\": \"e\", \"parameters\": {\"train.lr\": 1e-3, \"model.kind\": null}}",
      "POST /api/trials/2/retry\n{\"request\": \"again\"}",
      "POST /api/stop\n{}",
      "GET /api/trials/1\n",
      "GET /api/study\n"};
  const std::vector<std::string> kPieces{"{",
                                         "}",
                                         "[",
                                         "]",
                                         "\"",
                                         "\\u0000",
                                         "\\ud800",
                                         "1e999",
                                         "-0",
                                         "null",
                                         "NaN",
                                         "\xff",
                                         std::string(1, '\0'),
                                         "9223372036854775808",
                                         "/api",
                                         "//",
                                         ":"};
  std::mt19937 generator(1);
  const auto below = [&generator](std::size_t limit) { return generator() % limit; };
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string request = kSeeds[below(kSeeds.size())];
    for (std::size_t change = 0; change <= below(5); ++change) {
      const std::size_t at = below(request.size());
      switch (below(4)) {
        case 0:
          request[at] = static_cast<char>(below(256));
          break;
        case 1:
          request.insert(at, kPieces[below(kPieces.size())]);
          break;
        case 2:
          request.insert(at, request.substr(below(request.size()), below(20)));
          break;
        default:
          request.erase(at, 1 + below(4));
          break;
      }
      if (request.empty()) request = " ";
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(request.data()), request.size());
  }
}

TEST(SweepRequestFuzz, DepthIsBoundedWhateverItsLength) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string request = "POST /api/stop\n";
    for (int i = 0; i < 150'000; ++i) request += open;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(request.data()), request.size());
  }
  const std::string nested = "POST /api/stop\n" + std::string(400'000, '[') + std::string(400'000, ']');
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(nested.data()), nested.size());
}

}  // namespace
}  // namespace etude::sweep
