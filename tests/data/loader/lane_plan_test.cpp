#include "data/loader/lane_plan.h"

#include <future>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/data/loader/memory_pack.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using testing::pieces_of;

std::unique_ptr<Plan> lane_plan(const std::vector<std::int64_t>& lengths, std::int64_t sequence_length,
                                std::int64_t lanes, std::uint64_t seed = 1) {
  return testing::plan_of(Order::kLanes, lengths, sequence_length, lanes, seed);
}

/// A piece that a lane has walked through, as far as it came.
struct Walk {
  std::int64_t step = 0, lane = 0;  ///< of its beginning
  std::vector<SequenceRef> segments;
};

/// In the order in which they were begun; of one step, by lane.
std::vector<Walk> walks_of(const Plan& plan, std::int64_t steps) {
  std::vector<Walk> walks;
  std::map<std::int64_t, std::size_t> current;  // by lane
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto batch = plan.batch(step);
    EXPECT_EQ(std::ssize(batch), plan.global_batch());
    for (std::int64_t lane = 0; lane < std::ssize(batch); ++lane) {
      const SequenceRef& segment = batch[static_cast<std::size_t>(lane)];
      if (!segment.continues) {
        current[lane] = walks.size();
        walks.push_back({step, lane, {}});
      }
      walks.at(current.at(lane)).segments.push_back(segment);
    }
  }
  return walks;
}

const std::vector<std::int64_t> kLengths{0, 1, 2, 3, 8, 9, 10, 16, 17, 18, 33, 100, 1, 5};

TEST(LanePlan, OnePieceInTwoLanesAsWorkedOutByHand) {
  // 10 tokens are 9 targets: segments of 4, 4 and 1. Both lanes walk through it, in epochs 0 and 1, then in 2 and 3.
  const auto plan = lane_plan({10}, 4, 2);
  const SequenceRef first{.piece = 0, .begin = 0, .length = 4}, second{.begin = 4, .length = 4, .continues = true},
      last{.begin = 8, .length = 1, .continues = true};
  for (const std::int64_t round : {0, 1, 7}) {
    EXPECT_THAT(plan->batch(3 * round), ElementsAre(first, first));
    EXPECT_THAT(plan->batch(3 * round + 1), ElementsAre(second, second));
    EXPECT_THAT(plan->batch(3 * round + 2), ElementsAre(last, last));
  }
  EXPECT_EQ(plan->sequences_per_epoch(), 3);
  EXPECT_DOUBLE_EQ(plan->epochs_after(3), 2.0);
}

TEST(LanePlan, LanesTakeTheNextPieceOfTheStreamWhenTheyAreFree) {
  // The same worked out step by step, with nothing but a stream of pieces and lanes that count down.
  for (const std::int64_t lanes : {1, 3, 20}) {
    const auto plan = lane_plan(kLengths, 8, lanes, 5);
    std::vector<std::int64_t> with_targets, stream;
    for (std::int64_t piece = 0; piece < std::ssize(kLengths); ++piece) {
      if (kLengths[static_cast<std::size_t>(piece)] > 1) with_targets.push_back(piece);
    }
    const EpochOrder order(std::ssize(with_targets), 5);
    for (std::int64_t epoch = 0; epoch < 600; ++epoch) {
      for (const std::int64_t at : *order.of(epoch)) stream.push_back(with_targets[static_cast<std::size_t>(at)]);
    }
    std::size_t next = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> at(static_cast<std::size_t>(lanes), {-1, 0});  // piece, heard
    for (std::int64_t step = 0; step < 100; ++step) {
      const auto batch = plan->batch(step);
      for (std::size_t lane = 0; lane < at.size(); ++lane) {
        auto& [piece, heard] = at[lane];
        const bool begins = piece < 0 || heard >= kLengths[static_cast<std::size_t>(piece)] - 1;
        if (begins) at[lane] = {stream.at(next++), 0};
        const std::int64_t left = kLengths[static_cast<std::size_t>(piece)] - 1 - heard;
        const SequenceRef expected{
            .piece = piece, .begin = heard, .length = std::min<std::int64_t>(8, left), .continues = !begins};
        ASSERT_EQ(batch[lane], expected) << "step " << step << ", lane " << lane << " of " << lanes;
        heard += 8;
      }
    }
  }
}

TEST(LanePlan, EveryTargetStandsOnceInEveryEpoch) {
  const auto plan = lane_plan(kLengths, 8, 7);
  EXPECT_EQ(plan->sequences_per_epoch(), 1 + 1 + 1 + 1 + 2 + 2 + 2 + 3 + 4 + 13 + 1);
  constexpr std::size_t kPieces = 11, kEpochs = 20;
  const auto walks = walks_of(*plan, 200);
  ASSERT_GE(walks.size(), kPieces * (kEpochs + 1));
  std::set<std::vector<std::int64_t>> orders;
  for (std::size_t epoch = 0; epoch < kEpochs; ++epoch) {
    std::vector<std::int64_t> order;
    for (std::size_t i = 0; i < kPieces; ++i) {
      const Walk& walk = walks[epoch * kPieces + i];
      const std::int64_t piece = walk.segments.front().piece;
      order.push_back(piece);
      std::int64_t heard = 0;
      for (const SequenceRef& segment : walk.segments) {
        EXPECT_EQ(segment.piece, piece);
        EXPECT_EQ(segment.begin, heard);
        EXPECT_EQ(segment.continues, heard > 0);
        heard += segment.length;
      }
      EXPECT_EQ(heard, kLengths[static_cast<std::size_t>(piece)] - 1);
    }
    orders.insert(order);
    EXPECT_THAT(order, ::testing::UnorderedElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13));
  }
  EXPECT_GT(orders.size(), 15U);
}

TEST(LanePlan, AnyStepCanBeAskedForAtAnyTimeFromSeveralThreads) {
  const auto walked = lane_plan({50, 70, 20}, 8, 5);
  std::vector<std::vector<SequenceRef>> batches;
  for (std::int64_t step = 0; step < 80; ++step) batches.push_back(walked->batch(step));
  for (const std::int64_t step : {79, 0, 17, 4, 3, 78, 78, 79}) {
    const auto fresh = lane_plan({50, 70, 20}, 8, 5);
    EXPECT_EQ(fresh->batch(step), batches[static_cast<std::size_t>(step)]) << "step " << step;
    EXPECT_EQ(walked->batch(step), batches[static_cast<std::size_t>(step)]) << "step " << step << ", going back";
  }
  const auto shared = lane_plan({50, 70, 20}, 8, 5);
  std::vector<std::future<bool>> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      bool right = true;
      for (std::size_t i = 0; i < 80; ++i) {
        const std::size_t step = thread % 2 == 0 ? i : 79 - i;
        right = right && shared->batch(static_cast<std::int64_t>(step)) == batches[step];
      }
      return right;
    }));
  }
  for (auto& thread : threads) EXPECT_TRUE(thread.get());
}

TEST(LanePlan, AFarStepIsThatOfWhoWalkedThere) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 300; ++i) lengths.push_back(20 + i * 37 % 900);
  const auto walked = lane_plan(lengths, 64, 32);
  for (std::int64_t step = 0; step < 200'000; step += 7) walked->batch(step);
  EXPECT_EQ(lane_plan(lengths, 64, 32)->batch(200'000), walked->batch(200'000));
}

TEST(LanePlan, APieceIsTransposedAsAWholeAndAnewInEachEpoch) {
  testing::MemoryPack pack;
  for (int i = 0; i < 6; ++i) pack.add_scale(40 + 7 * i);
  DataOptions options;
  options.sequence_length = 8;
  options.order = Order::kLanes;
  options.transpose.semitones = {-3, 3};
  const auto plan = make_training_plan(pack.pieces(), pack.vocabulary(), options, 4, 1);
  std::map<std::int64_t, std::set<int>> drawn;  // by piece
  for (const Walk& walk : walks_of(*plan, 400)) {
    for (const SequenceRef& segment : walk.segments) EXPECT_EQ(segment.semitones, walk.segments.front().semitones);
    drawn[walk.segments.front().piece].insert(walk.segments.front().semitones);
  }
  ASSERT_EQ(drawn.size(), 6U);
  for (const auto& [piece, semitones] : drawn) EXPECT_EQ(semitones.size(), 7U) << "piece " << piece;
}

TEST(LanePlan, ShuffledSequencesNeverContinue) {
  DataOptions options;
  options.sequence_length = 8;
  const auto plan = make_training_plan(pieces_of(kLengths), Vocabulary{}, options, 4, 1);
  for (std::int64_t step = 0; step < 50; ++step) {
    for (const SequenceRef& sequence : plan->batch(step)) EXPECT_FALSE(sequence.continues);
  }
}

}  // namespace
}  // namespace etude::data
