#include <gtest/gtest.h>

#include "data/tokenizer/remi.h"
#include "tests/data/tokenizer/random_music.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::data {
namespace {

// The bounded run of the fuzz target, which aborts when a promise is broken.
TEST(RemiFuzz, AnyTokensDecodeToASoundScore) {
  etude::testing::Dice dice(7);
  const Remi remi;
  constexpr int kRounds = 1500;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::uint8_t> bytes;
    const auto tokens = round % 2 == 0 ? etude::testing::random_tokens(dice, remi.vocabulary())
                                       : etude::testing::random_piece(dice, remi, dice.below(100));
    for (const TokenId token : tokens) {
      const int value = dice.below(20) == 0 ? dice.below(400) : token + 20;
      bytes.push_back(static_cast<std::uint8_t>(value & 255));
      bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    }
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
}

}  // namespace
}  // namespace etude::data
