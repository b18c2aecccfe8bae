#include "data/loader/loader.h"

#include <atomic>
#include <chrono>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/loader/memory_pack.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::MemoryPack;

/// Batches as a test wants them.
class FixedPlan : public Plan {
 public:
  FixedPlan(std::vector<std::vector<SequenceRef>> batches, std::int64_t sequence_length)
      : batches_(std::move(batches)), sequence_length_(sequence_length) {}
  std::vector<SequenceRef> batch(std::int64_t step) const override {
    return batches_[static_cast<std::size_t>(step % std::ssize(batches_))];
  }
  std::int64_t sequences_per_epoch() const override { return std::ssize(batches_) * global_batch(); }
  std::int64_t global_batch() const override { return std::ssize(batches_.front()); }
  std::int64_t sequence_length() const override { return sequence_length_; }

 private:
  std::vector<std::vector<SequenceRef>> batches_;
  std::int64_t sequence_length_;
};

MemoryPack some_music() {
  MemoryPack pack;
  for (const std::int64_t tokens : {3, 150, 64, 65, 9, 33, 1}) pack.add_scale(tokens);
  return pack;
}

std::unique_ptr<Plan> training_plan(MemoryPack& pack, std::int64_t global_batch) {
  DataOptions options;
  options.sequence_length = 32;
  options.transpose.semitones = {-2, 2};
  return make_training_plan(pack.pieces(), pack.vocabulary(), options, global_batch, 7);
}

std::vector<std::string> names(const Vocabulary& vocabulary, std::span<const std::int64_t> tokens) {
  std::vector<std::string> result;
  for (const std::int64_t token : tokens) {
    result.push_back(token == kIgnored ? "-" : vocabulary.token(static_cast<TokenId>(token)));
  }
  return result;
}

TEST(Loader, LaysSequencesSideBySide) {
  MemoryPack pack;
  pack.add({"BOS_None", "Bar_None", "Pitch_60", "Pitch_64", "EOS_None"});
  pack.add({"BOS_None", "Pitch_50", "EOS_None"});
  const FixedPlan plan({{{0, 1, 3, 2}, {1, 0, 2, 0}, {}}}, 4);
  Loader loader(pack.vocabulary(), pack.reader(), plan, 3, {0, 1}, 5);
  const StepData data = loader.next();
  EXPECT_EQ(data.step, 5);
  EXPECT_EQ(data.counted, 5);
  ASSERT_EQ(data.grains.size(), 1U);
  const TokenGrid& grid = data.grains.front();
  EXPECT_EQ(grid.rows, 3);
  EXPECT_EQ(grid.columns, 4);
  EXPECT_EQ(grid.counted, 5);
  EXPECT_THAT(names(pack.vocabulary(), grid.inputs), ElementsAre("Bar_None", "Pitch_62", "Pitch_66", "PAD_None",  //
                                                                 "BOS_None", "Pitch_50", "PAD_None", "PAD_None",  //
                                                                 "PAD_None", "PAD_None", "PAD_None", "PAD_None"));
  EXPECT_THAT(names(pack.vocabulary(), grid.targets), ElementsAre("Pitch_62", "Pitch_66", "EOS_None", "-",  //
                                                                  "Pitch_50", "EOS_None", "-", "-",         //
                                                                  "-", "-", "-", "-"));
}

TEST(Loader, AGridIsAsWideAsItsLongestRowRoundedUp) {
  MemoryPack pack;
  pack.add_scale(200);
  const auto columns = [&](std::int64_t longest, std::int64_t sequence_length) {
    const FixedPlan plan({{{0, 0, 1, 0}, {0, 5, longest, 0}}}, sequence_length);
    return Loader(pack.vocabulary(), pack.reader(), plan, 2, {0, 1}, 0).next().grains.front().columns;
  };
  EXPECT_EQ(columns(0, 100), 16);
  EXPECT_EQ(columns(16, 100), 16);
  EXPECT_EQ(columns(17, 100), 32);
  EXPECT_EQ(columns(96, 100), 96);
  EXPECT_EQ(columns(97, 100), 100);  // a model's context ends there
}

TEST(Loader, EveryRankKnowsHowMuchOfTheGlobalBatchIsPadding) {
  MemoryPack pack;
  pack.add_scale(200);
  // Grains of two rows: 2 x 16 cells with 10 + 3 targets, 2 x 48 with 40 + 0, 2 x 16 of padding alone.
  const FixedPlan plan({{{0, 0, 10}, {0, 5, 3}, {0, 0, 40}, {}, {}, {}}}, 100);
  for (const GrainRange range : {GrainRange{0, 3}, GrainRange{0, 1}, GrainRange{1, 3}, GrainRange{2, 3}}) {
    const StepData data = Loader(pack.vocabulary(), pack.reader(), plan, 2, range, 0).next();
    EXPECT_EQ(data.counted, 53);
    EXPECT_EQ(data.cells, 32 + 96 + 32);
    EXPECT_EQ(std::ssize(data.grains), range.end - range.begin);
  }
}

TEST(Loader, TransposedTokensAreThoseOfTheTransposedPiece) {
  MemoryPack pack = some_music();
  const auto plan = training_plan(pack, 8);
  Loader loader(pack.vocabulary(), pack.reader(), *plan, 4, {0, 2}, 0);
  std::set<int> seen;
  for (int step = 0; step < 30; ++step) {
    for (const TokenGrid& grid : loader.next().grains) {
      for (std::int64_t row = 0; row < grid.rows; ++row) {
        const SequenceRef& sequence = grid.sequences[static_cast<std::size_t>(row)];
        seen.insert(sequence.semitones);
        std::vector<std::int64_t> expected;
        for (std::int64_t i = 0; i <= sequence.length; ++i) {
          const TokenId token = pack.tokens(sequence.piece)[static_cast<std::size_t>(sequence.begin + i)];
          const int pitch = pack.vocabulary().pitch(token) + sequence.semitones;
          expected.push_back(pack.vocabulary().id("Pitch_" + std::to_string(pitch)));
        }
        const auto at = static_cast<std::size_t>(row * grid.columns),
                   length = static_cast<std::size_t>(sequence.length);
        EXPECT_THAT(std::span(grid.inputs).subspan(at, length), ElementsAreArray(std::span(expected).first(length)));
        EXPECT_THAT(std::span(grid.targets).subspan(at, length), ElementsAreArray(std::span(expected).subspan(1)));
      }
    }
  }
  EXPECT_THAT(seen, ElementsAre(-2, -1, 0, 1, 2));
}

void expect_same(const TokenGrid& a, const TokenGrid& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.counted, b.counted);
}

TEST(Loader, AGrainIsTheSameOnAnyNumberOfRanks) {
  MemoryPack pack = some_music();
  const auto plan = training_plan(pack, 20);
  Loader whole(pack.vocabulary(), pack.reader(), *plan, 2, {0, 10}, 0);
  for (int step = 0; step < 5; ++step) {
    const StepData all = whole.next();
    EXPECT_EQ(all.grains.size(), 10U);
    for (const int size : {1, 2, 3, 4, 10}) {
      std::int64_t counted = 0;
      for (int rank = 0; rank < size; ++rank) {
        Loader loader(pack.vocabulary(), pack.reader(), *plan, 2, {10 * rank / size, 10 * (rank + 1) / size}, step);
        const StepData part = loader.next();
        EXPECT_EQ(part.step, step);
        EXPECT_EQ(part.counted, all.counted);
        for (std::size_t i = 0; i < part.grains.size(); ++i) {
          expect_same(part.grains[i], all.grains.at(static_cast<std::size_t>(part.first_grain) + i));
          counted += part.grains[i].counted;
        }
      }
      EXPECT_EQ(counted, all.counted) << "each grain once on " << size << " ranks";
    }
  }
}

TEST(Loader, ResumingAtAStepIsGoingThere) {
  MemoryPack pack = some_music();
  const auto plan = training_plan(pack, 6);
  Loader walked(pack.vocabulary(), pack.reader(), *plan, 3, {0, 2}, 0, 1);
  for (int step = 0; step < 13; ++step) walked.next();
  const auto again = training_plan(pack, 6);
  Loader resumed(pack.vocabulary(), pack.reader(), *again, 3, {0, 2}, 13, 4);
  for (int step = 13; step < 30; ++step) {
    const StepData a = walked.next(), b = resumed.next();
    EXPECT_EQ(a.step, step);
    EXPECT_EQ(b.step, step);
    for (std::size_t i = 0; i < 2; ++i) expect_same(a.grains.at(i), b.grains.at(i));
  }
}

TEST(Loader, WhatWentWrongIsThrownWhereItIsWaitedFor) {
  MemoryPack pack = some_music();
  const FixedPlan plan({{{1, 0, 8, 0}}, {{1, 8, 8, 0}}, {{1, 16, 8, 0}}}, 16);
  const ReadTokens failing = [read = pack.reader()](std::int64_t piece, std::int64_t begin, std::span<TokenId> out) {
    if (begin == 16) throw Error("train-00001.h5: cannot be read");
    read(piece, begin, out);
  };
  Loader loader(pack.vocabulary(), failing, plan, 1, {0, 1}, 0, 8);
  EXPECT_EQ(loader.next().step, 0);
  EXPECT_EQ(loader.next().step, 1);
  for (int again = 0; again < 2; ++again) {
    try {
      loader.next();
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("train-00001.h5"));
    }
  }
}

TEST(Loader, ReadsNoFartherAheadThanAsked) {
  MemoryPack pack = some_music();
  const FixedPlan plan({{{1, 0, 8, 0}}}, 16);
  std::atomic<int> taken = 0;
  std::atomic<int> excess = 0;
  const ReadTokens counting = [&, reads = 0](std::int64_t, std::int64_t, std::span<TokenId>) mutable {
    // The step that next() is just handing over counts as taken a moment later.
    if (++reads > taken + 1 + 3) ++excess;
  };
  Loader loader(pack.vocabulary(), counting, plan, 1, {0, 1}, 0, 3);
  for (; taken < 500; ++taken) loader.next();
  EXPECT_EQ(excess, 0);
}

TEST(Loader, CanBeLeftAtAnyTime) {
  MemoryPack pack = some_music();
  const auto plan = training_plan(pack, 6);
  for (int i = 0; i < 100; ++i) {
    Loader loader(pack.vocabulary(), pack.reader(), *plan, 3, {0, 2}, 0, 1 + i % 3);
    for (int step = 0; step < i % 4; ++step) loader.next();
  }
}

TEST(Loader, TimeWaitedIsPartOfTheTimePassed) {
  MemoryPack pack = some_music();
  const auto plan = training_plan(pack, 6);
  const auto start = std::chrono::steady_clock::now();
  Loader loader(pack.vocabulary(), pack.reader(), *plan, 3, {0, 2}, 0);
  EXPECT_EQ(loader.waited(), 0);
  for (int step = 0; step < 100; ++step) loader.next();
  EXPECT_GT(loader.waited(), 0);
  EXPECT_LE(loader.waited(), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

TEST(Loader, AGlobalBatchIsWholeGrains) {
  MemoryPack pack = some_music();
  const auto plan = training_plan(pack, 6);
  try {
    Loader(pack.vocabulary(), pack.reader(), *plan, 4, {0, 1}, 0);
    FAIL() << "nothing was thrown";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("train.global_batch"));
    EXPECT_THAT(error.what(), HasSubstr("train.micro_batch"));
  }
}

}  // namespace
}  // namespace etude::data
