// Counts what this program takes from the heap: operator new is replaced for all of it, LibTorch included.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "generation/generator.h"
#include "models/gpt2.h"

namespace {
std::atomic<std::int64_t> allocations{0};
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace etude::generation {
namespace {

TEST(Allocation, ATokenCostsNone) {
  const auto tokenizer = data::make_tokenizer("remi");
  models::Gpt2 model({.layers = 2, .width = 32, .heads = 4, .dropout = 0}, tokenizer->vocabulary().size(), 128, 1);
  constexpr std::int64_t kTokens = 100;
  const SamplingOptions ways[] = {{}, {.top_k = 20, .top_p = 0.9, .repetition_penalty = 1.2}, {.temperature = 0}};
  for (const SamplingOptions& sampling : ways) {
    std::vector<std::int64_t> counted(kTokens + 1);
    const auto pieces =
        generate(model, *tokenizer, {tokenizer->vocabulary().id("BOS_None")},
                 {.sampling = sampling, .seed = 3, .count = 4, .most_tokens = kTokens},
                 [&](std::int64_t tokens) { counted[static_cast<std::size_t>(tokens)] = allocations.load(); });
    // A piece that ends leaves the batch, which takes some.
    std::int64_t ends = 0;
    for (const Piece& piece : pieces) ends += piece.ended_by_itself ? 1 : 0;
    std::int64_t costly = 0;
    for (std::size_t i = 3; i < counted.size(); ++i) costly += counted[i] > counted[i - 1] ? 1 : 0;
    EXPECT_LE(costly, ends);
    EXPECT_GT(counted.back(), 0);
  }
}

}  // namespace
}  // namespace etude::generation
