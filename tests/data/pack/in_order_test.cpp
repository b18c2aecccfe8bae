#include "data/pack/in_order.h"

#include <atomic>
#include <chrono>
#include <stdexcept>

#include <gtest/gtest.h>

namespace etude::data {
namespace {

TEST(InOrder, GivesResultsInOrderHoweverLongEachTakes) {
  for (const int threads : {1, 3, 8}) {
    std::vector<std::int64_t> seen;
    in_order<std::int64_t>(
        100, threads, 5,
        [](std::int64_t i) {
          std::this_thread::sleep_for(std::chrono::microseconds(i % 7 * 50));
          return i * i;
        },
        [&](std::int64_t i, std::int64_t square) {
          EXPECT_EQ(square, i * i);
          seen.push_back(i);
        });
    ASSERT_EQ(seen.size(), 100u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  }
}

TEST(InOrder, RunsAheadNoFurtherThanAllowed) {
  std::atomic<std::int64_t> consumed = 0, farthest = 0;
  in_order<int>(
      60, 4, 3,
      [&](std::int64_t i) {
        const std::int64_t ahead = i - consumed;
        for (std::int64_t seen = farthest; ahead > seen && !farthest.compare_exchange_weak(seen, ahead);) {
        }
        return 0;
      },
      [&](std::int64_t, int) { ++consumed; });
  EXPECT_LE(farthest, 3);
}

TEST(InOrder, EndsWithWhatEitherSideThrows) {
  EXPECT_THROW(in_order<int>(
                   1000, 4, 8,
                   [](std::int64_t i) {
                     if (i == 20) throw std::runtime_error("producer");
                     return 0;
                   },
                   [](std::int64_t, int) {}),
               std::runtime_error);
  std::int64_t last = -1;
  EXPECT_THROW(in_order<int>(
                   1000, 4, 8, [](std::int64_t) { return 0; },
                   [&](std::int64_t i, int) {
                     last = i;
                     if (i == 20) throw std::runtime_error("consumer");
                   }),
               std::runtime_error);
  EXPECT_EQ(last, 20);
}

TEST(InOrder, OfNothingIsNothing) {
  in_order<int>(
      0, 3, 4, [](std::int64_t) { return 0; }, [](std::int64_t, int) { FAIL(); });
}

}  // namespace
}  // namespace etude::data
