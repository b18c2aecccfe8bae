#include <atomic>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "framework/parallel/worker_pool.h"

namespace etude::parallel {
namespace {

TEST(WorkerPool, DoesEveryItemOnceWithWorkersThatAreThere) {
  for (const int threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t items : {0, 1, 2, 7, 500}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(items));
      std::atomic<int> strangers = 0;
      pool.run(items, [&](int worker, std::int64_t item) {
        if (worker < 0 || worker >= threads) ++strangers;
        ++done[static_cast<std::size_t>(item)];
      });
      for (const auto& times : done) EXPECT_EQ(times, 1);
      EXPECT_EQ(strangers, 0);
    }
  }
}

TEST(WorkerPool, AWorkerIsOneThreadAtATime) {
  // What belongs to a worker (its model, its tally) needs no lock.
  WorkerPool pool(4);
  std::vector<std::set<std::thread::id>> seen(4);
  std::vector<std::int64_t> count(4);
  pool.run(2000, [&](int worker, std::int64_t) {
    seen[static_cast<std::size_t>(worker)].insert(std::this_thread::get_id());
    ++count[static_cast<std::size_t>(worker)];
  });
  for (const auto& threads : seen) EXPECT_LE(threads.size(), 1u);
  EXPECT_EQ(std::accumulate(count.begin(), count.end(), std::int64_t{0}), 2000);
}

TEST(WorkerPool, WorksSideBySide) {
  // Each of the three items waits for the others: with fewer threads at work this would never end.
  WorkerPool pool(3);
  std::atomic<int> present = 0;
  pool.run(3, [&](int, std::int64_t) {
    ++present;
    while (present < 3) std::this_thread::yield();
  });
  EXPECT_EQ(present, 3);
}

TEST(WorkerPool, OneThreadIsTheCallingOneAndKeepsTheOrder) {
  WorkerPool pool(1);
  std::vector<std::int64_t> order;
  const auto caller = std::this_thread::get_id();
  pool.run(5, [&](int, std::int64_t item) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    order.push_back(item);
  });
  EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST(WorkerPool, PassesOnAnExceptionAndWorksOn) {
  for (const int threads : {1, 3}) {
    WorkerPool pool(threads);
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::atomic<int> started = 0;
      const auto fail_at_ten = [&](int, std::int64_t item) {
        ++started;
        if (item == 10) throw std::runtime_error("item 10");
      };
      EXPECT_THROW(pool.run(100'000, fail_at_ten), std::runtime_error);
      EXPECT_LT(started, 100'000) << "what had not started need not";
      std::atomic<std::int64_t> sum = 0;
      pool.run(10, [&](int, std::int64_t item) { sum += item; });
      EXPECT_EQ(sum, 45);
    }
  }
}

TEST(WorkerPool, ComesAndGoesWithoutEverBeingUsed) {
  for (int i = 0; i < 50; ++i) WorkerPool pool(3);
}

TEST(CoresPerRank, AreSharedByTheRanksOfAMachineAndNeverNone) {
  const int alone = cores_per_rank(1);
  EXPECT_GE(alone, 1);
  EXPECT_LE(alone, static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_EQ(cores_per_rank(100'000), alone == static_cast<int>(std::thread::hardware_concurrency()) ? 1 : alone);
}

}  // namespace
}  // namespace etude::parallel
