#include "data/loader/plan.h"

#include <future>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/loader/random.h"
#include "framework/config/error.h"
#include "tests/data/loader/memory_pack.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::pieces_of;

std::unique_ptr<Plan> training_plan(const std::vector<std::int64_t>& lengths, std::int64_t sequence_length,
                                    std::int64_t global_batch, std::uint64_t seed = 1) {
  return testing::plan_of(Order::kShuffled, lengths, sequence_length, global_batch, seed);
}

/// The first `count` sequences of the endless stream.
std::vector<SequenceRef> stream(const Plan& plan, std::int64_t count) {
  std::vector<SequenceRef> sequences;
  for (std::int64_t step = 0; std::ssize(sequences) < count; ++step) {
    const auto batch = plan.batch(step);
    EXPECT_EQ(std::ssize(batch), plan.global_batch());
    sequences.insert(sequences.end(), batch.begin(), batch.end());
  }
  sequences.resize(static_cast<std::size_t>(count));
  return sequences;
}

std::vector<SequenceRef> epoch_of(const Plan& plan, std::int64_t epoch) {
  const std::int64_t size = plan.sequences_per_epoch();
  const auto all = stream(plan, (epoch + 1) * size);
  return {all.end() - size, all.end()};
}

TEST(Random, IsSplitMix64) {
  // The first outputs of Vigna's splitmix64.c from state 0.
  static_assert(mix(0) == 0xE220A8397B1DCDAF);
  static_assert(mix(0x9E3779B97F4A7C15) == 0x6E789E6AA1B965F4);
}

TEST(TrainingPlan, EveryTargetStandsOnceInEveryEpoch) {
  // Pieces with nothing to learn, with less than a sequence, with whole ones, and one token more or less than those.
  const std::vector<std::int64_t> lengths{0, 1, 2, 3, 8, 9, 10, 16, 17, 18, 33, 100, 1, 5};
  const auto plan = training_plan(lengths, 8, 7);
  // ceil((n - 1) / 8) of each
  EXPECT_EQ(plan->sequences_per_epoch(), 0 + 0 + 1 + 1 + 1 + 1 + 2 + 2 + 2 + 3 + 4 + 13 + 0 + 1);
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    std::set<std::pair<std::int64_t, std::int64_t>> seen;
    for (const SequenceRef& sequence : epoch_of(*plan, epoch)) {
      EXPECT_GE(sequence.length, 1);
      EXPECT_LE(sequence.length, 8);
      for (std::int64_t i = 0; i < sequence.length; ++i) {
        EXPECT_TRUE(seen.emplace(sequence.piece, sequence.begin + i + 1).second) << "twice in epoch " << epoch;
      }
    }
    std::set<std::pair<std::int64_t, std::int64_t>> all;
    for (std::int64_t piece = 0; piece < std::ssize(lengths); ++piece) {
      for (std::int64_t token = 1; token < lengths[static_cast<std::size_t>(piece)]; ++token) all.emplace(piece, token);
    }
    EXPECT_EQ(seen, all) << "epoch " << epoch;
  }
}

TEST(TrainingPlan, AnyStepCanBeAskedForAtAnyTime) {
  const auto walked = training_plan({50, 70, 20}, 8, 5);
  std::vector<std::vector<SequenceRef>> batches;
  for (std::int64_t step = 0; step < 40; ++step) batches.push_back(walked->batch(step));
  for (const std::int64_t step : {39, 0, 17, 4, 3, 38}) {
    const auto fresh = training_plan({50, 70, 20}, 8, 5);
    EXPECT_EQ(fresh->batch(step), batches[static_cast<std::size_t>(step)]) << "step " << step;
    EXPECT_EQ(walked->batch(step), batches[static_cast<std::size_t>(step)]) << "step " << step << ", going back";
  }
}

TEST(TrainingPlan, SeveralThreadsMayAskAtOnce) {
  const auto plan = training_plan({50, 70, 20}, 8, 5);
  const auto alone = stream(*training_plan({50, 70, 20}, 8, 5), 2000);
  std::vector<std::future<std::vector<SequenceRef>>> threads;
  for (int i = 0; i < 4; ++i) threads.push_back(std::async(std::launch::async, [&] { return stream(*plan, 2000); }));
  for (auto& thread : threads) EXPECT_EQ(thread.get(), alone);
}

TEST(TrainingPlan, TheOrderIsThatOfAnyBatchSize) {
  EXPECT_EQ(stream(*training_plan({50, 70, 20}, 8, 3), 100), stream(*training_plan({50, 70, 20}, 8, 16), 100));
}

TEST(TrainingPlan, EpochsAndSeedsDiffer) {
  const auto plan = training_plan({500, 700}, 16, 4);
  EXPECT_NE(epoch_of(*plan, 0), epoch_of(*plan, 1));
  EXPECT_NE(epoch_of(*plan, 0), epoch_of(*training_plan({500, 700}, 16, 4, 2), 0));
  const auto begins = [&](std::int64_t epoch) {
    std::set<std::int64_t> found;
    for (const SequenceRef& sequence : epoch_of(*plan, epoch)) {
      if (sequence.piece == 0) found.insert(sequence.begin);
    }
    return found;
  };
  std::set<std::set<std::int64_t>> cuts;
  for (std::int64_t epoch = 0; epoch < 50; ++epoch) cuts.insert(begins(epoch));
  EXPECT_EQ(cuts.size(), 14U);  // 499 = 31 * 16 + 3 targets: heads of 3 to 16
}

TEST(TrainingPlan, HeadsAreDrawnEvenly) {
  const auto plan = training_plan({21}, 8, 3);  // 20 targets in 3 sequences: heads of 4 to 8
  constexpr int kEpochs = 5000;
  std::map<std::int64_t, int> counts;
  for (const SequenceRef& sequence : stream(*plan, 3 * kEpochs)) {
    if (sequence.begin == 0) ++counts[sequence.length];
  }
  ASSERT_EQ(counts.size(), 5U);
  // Binomial(5000, 1/5) has a standard deviation of 28.
  for (const auto& [head, count] : counts) EXPECT_NEAR(count, 1000, 5 * 28) << "heads of " << head;
}

TEST(TrainingPlan, EveryOrderIsAsLikely) {
  const auto plan = training_plan({2, 2, 2, 2}, 8, 4);
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::int64_t epoch = 0; epoch < 24'000; ++epoch) {
    std::vector<std::int64_t> order;
    for (const SequenceRef& sequence : plan->batch(epoch)) order.push_back(sequence.piece);
    ++counts[order];
  }
  ASSERT_EQ(counts.size(), 24U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 5 * 31);
}

TEST(TrainingPlan, EpochsAreCountedInFractions) {
  const auto plan = training_plan({9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, 8, 4);  // 10 sequences
  EXPECT_DOUBLE_EQ(plan->epochs_after(0), 0);
  EXPECT_DOUBLE_EQ(plan->epochs_after(1), 0.4);
  EXPECT_DOUBLE_EQ(plan->epochs_after(5), 2);
}

TEST(TrainingPlan, SaysWhatCannotBeMeant) {
  const auto complaint = [](const std::vector<std::int64_t>& lengths, std::int64_t length, std::int64_t batch) {
    try {
      training_plan(lengths, length, batch);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(complaint({}, 8, 4), HasSubstr("data.pack"));
  EXPECT_THAT(complaint({0, 1}, 8, 4), HasSubstr("data.pack"));
  EXPECT_THAT(complaint({10}, 1, 4), HasSubstr("data.sequence_length"));
  EXPECT_THAT(complaint({10}, 8, 0), HasSubstr("train.global_batch"));
  EXPECT_THAT(complaint({10}, 8, 4), "nothing");
}

TEST(NameOf, IsForAPerson) {
  Piece piece;
  piece.file = "chopin/op28-4.mid";
  EXPECT_EQ(name_of(piece, {0, 512, 512, 3}), "chopin/op28-4.mid, tokens 512..1023, +3 semitones");
  EXPECT_EQ(name_of(piece, {0, 0, 16, -1}), "chopin/op28-4.mid, tokens 0..15, -1 semitone");
  EXPECT_EQ(name_of(piece, {0, 0, 16, 0}), "chopin/op28-4.mid, tokens 0..15");
}

}  // namespace
}  // namespace etude::data
