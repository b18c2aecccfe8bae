#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::data::abc {
namespace {

constexpr std::string_view kSeed = R"(X:1
T:Everything
M:6/8
L:1/8
Q:3/8=60
V:1 name="Right" clef=treble-8
V:2 clef=bass
K:F#m
[V:1] "Am"!trill!C>D (3EFG | [CE4]-[CE]2 :|1 ^f2 & =A,,3/2 z/ |2 {ga}B/4c'' Z2 |]
[V:2] (7:4:7CDEFGAB |[M:3/4][L:1/16] A<<B |: x2 y :: [K:Bb dor] _e2-|e2 ::|
w: words
|:C|[1,3 D:|[2-4 E|| F%comment
)";

// The bounded run of the fuzz target.
TEST(AbcFuzz, MutationsOfATuneNeverThrow) {
  std::mt19937 generator(2);
  const auto below = [&generator](std::size_t limit) { return generator() % limit; };
  constexpr int kRounds = 10'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string text(kSeed);
    for (std::size_t change = 0; change <= below(8); ++change) {
      const std::size_t at = below(text.size());
      switch (below(5)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text[at] = text[below(text.size())];
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(12)));
          break;
        case 3:
          text.insert(at, 1, "|:[]()&-/0123456789^_=<>zZ\""[below(27)]);
          break;
        default:
          text.erase(at, 1 + below(4));
          break;
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

TEST(AbcFuzz, AbsurdNumbersAreNoTrouble) {
  std::string fine = "X:1\nL:1/512\nK:C\n";
  for (const int prime : {251, 241, 239, 233, 229, 227, 223, 211, 199, 197, 193}) fine += "C1/" + std::to_string(prime);
  for (const std::string& text :
       {fine + "|\n", std::string("X:1\nK:C\nC9999999999|\n"), std::string("X:1\nK:C\nZ9999|\n"),
        "X:1\nK:C\n" + std::string(100, ':') + "|C" + std::string(100, ':') + "|\n",
        "X:1\nM:none\nK:C\n" + std::string(10'000, '[') + "\n"}) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

}  // namespace
}  // namespace etude::data::abc
