#include "data/loader/evaluation_plan.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/loader/grid_maker.h"
#include "framework/config/error.h"
#include "tests/data/loader/memory_pack.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using testing::pieces_of;

/// The targets that are measured, by piece and place, with how often; and how many inputs of the piece were heard
/// before each, going by `continues`.
struct Measured {
  std::map<std::pair<std::int64_t, std::int64_t>, int> times;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> context;
};

Measured measured(const EvaluationPlan& plan) {
  Measured found;
  for (std::int64_t i = 0; i < plan.walks(); ++i) {
    const auto walk = plan.walk(i);
    EXPECT_EQ(std::ssize(walk), plan.batches_of(i));
    std::map<std::size_t, SequenceRef> before;  // by row
    for (const auto& batch : walk) {
      for (std::size_t row = 0; row < batch.size(); ++row) {
        const SequenceRef& sequence = batch[row];
        std::int64_t heard = 0;
        if (sequence.continues) {
          EXPECT_EQ(sequence.piece, before[row].piece);
          EXPECT_EQ(sequence.begin, before[row].begin + before[row].length);
          heard = sequence.begin;
        }
        before[row] = sequence;
        for (std::int64_t at = sequence.unmeasured; at < sequence.length; ++at) {
          const std::pair target{sequence.piece, sequence.begin + at + 1};
          ++found.times[target];
          found.context[target] = heard + at + 1;
        }
      }
    }
  }
  return found;
}

Measured measured(const std::vector<std::int64_t>& lengths, const EvaluationRequest& request) {
  return measured(*make_evaluation_plan(pieces_of(lengths), request));
}

TEST(EvaluationPlan, TakesSequencesInOrder) {
  const auto plan = make_evaluation_plan(pieces_of({10, 1, 4, 9}), {.length = 4, .rows = 4});
  EXPECT_EQ(plan->sequences(), 3 + 0 + 1 + 2);
  ASSERT_EQ(plan->walks(), 2);
  EXPECT_THAT(plan->walk(0), ElementsAre(ElementsAre(SequenceRef{0, 0, 4}, SequenceRef{0, 4, 4}, SequenceRef{0, 8, 1},
                                                     SequenceRef{2, 0, 3})));
  EXPECT_THAT(plan->walk(1),
              ElementsAre(ElementsAre(SequenceRef{3, 0, 4}, SequenceRef{3, 4, 4}, SequenceRef{}, SequenceRef{})));
  EXPECT_EQ(make_evaluation_plan({}, {.length = 4, .rows = 4})->walks(), 0);
}

TEST(EvaluationPlan, WalksThroughPiecesOfAboutOneLengthSideBySide) {
  const auto plan =
      make_evaluation_plan(pieces_of({10, 1, 4, 9}), {.walking = Walking::kSegments, .length = 4, .rows = 2});
  EXPECT_EQ(plan->sequences(), 3 + 0 + 1 + 2);
  ASSERT_EQ(plan->walks(), 2);
  EXPECT_THAT(plan->walk(0), ElementsAre(ElementsAre(SequenceRef{0, 0, 4}, SequenceRef{3, 0, 4}),
                                         ElementsAre(SequenceRef{0, 4, 4, 0, true}, SequenceRef{3, 4, 4, 0, true}),
                                         ElementsAre(SequenceRef{0, 8, 1, 0, true}, SequenceRef{})));
  EXPECT_THAT(plan->walk(1), ElementsAre(ElementsAre(SequenceRef{2, 0, 3}, SequenceRef{})));
}

TEST(EvaluationPlan, SlidesAWindowByOneToken) {
  const auto plan = make_evaluation_plan(pieces_of({1, 7, 3}), {.walking = Walking::kSliding, .length = 4, .rows = 3});
  EXPECT_EQ(plan->sequences(), 4);
  ASSERT_EQ(plan->walks(), 2);
  EXPECT_THAT(
      plan->walk(0),
      ElementsAre(ElementsAre(SequenceRef{1, 0, 4}, SequenceRef{.piece = 1, .begin = 1, .length = 4, .unmeasured = 3},
                              SequenceRef{.piece = 1, .begin = 2, .length = 4, .unmeasured = 3})));
  EXPECT_THAT(plan->walk(1), ElementsAre(ElementsAre(SequenceRef{2, 0, 2}, SequenceRef{}, SequenceRef{})));
}

TEST(EvaluationPlan, MeasuresEveryTargetOnceWhateverTheWay) {
  const std::vector<std::int64_t> lengths{0, 1, 2, 3, 8, 9, 10, 16, 17, 18, 33, 100, 1, 5};
  for (const Walking walking : {Walking::kSequences, Walking::kSegments, Walking::kSliding}) {
    for (const std::int64_t rows : {1, 4, 50}) {
      const Measured found = measured(lengths, {.walking = walking, .length = 8, .rows = rows});
      std::size_t targets = 0;
      for (const std::int64_t length : lengths)
        targets += static_cast<std::size_t>(std::max<std::int64_t>(0, length - 1));
      EXPECT_EQ(found.times.size(), targets);
      for (const auto& [target, times] : found.times) EXPECT_EQ(times, 1);
      for (const auto& [target, context] : found.context) {
        const std::int64_t before = target.second;  // tokens of the piece
        EXPECT_EQ(context, walking == Walking::kSequences  ? (before - 1) % 8 + 1
                           : walking == Walking::kSegments ? before
                                                           : std::min<std::int64_t>(before, 8));
      }
    }
  }
}

TEST(EvaluationPlan, PartsOfASplitAreTheSameTokensWhateverTheWay) {
  const std::vector<std::int64_t> lengths{10, 50, 4, 9, 30};
  for (const std::int64_t tokens : {1, 9, 11, 57, 60}) {
    const Measured expected = measured(lengths, {.length = 8, .rows = 4, .tokens = tokens});
    EXPECT_EQ(std::ssize(expected.times), tokens);
    for (const Walking walking : {Walking::kSegments, Walking::kSliding}) {
      EXPECT_EQ(measured(lengths, {.walking = walking, .length = 8, .rows = 4, .tokens = tokens}).times,
                expected.times);
    }
  }
  for (const std::int64_t sequences : {1, 2, 5, 9, 10}) {
    const auto plan = make_evaluation_plan(pieces_of(lengths), {.length = 8, .rows = 4, .sequences = sequences});
    EXPECT_EQ(plan->sequences(), sequences);
    EXPECT_EQ(measured(lengths, {.walking = Walking::kSegments, .length = 8, .rows = 4, .sequences = sequences}).times,
              measured(*plan).times);
  }
}

TEST(EvaluationPlan, SaysWhatCannotBeMeant) {
  EXPECT_THROW(make_evaluation_plan(pieces_of({10}), {.length = 0}), UsageError);
  EXPECT_THROW(make_evaluation_plan(pieces_of({10}), {.rows = 0}), UsageError);
}

TEST(GridMaker, WhatIsOnlyHeardIsNoTarget) {
  testing::MemoryPack pack;
  pack.add_scale(12);
  GridMaker maker(pack.vocabulary(), pack.reader(), 8);
  const std::vector<SequenceRef> sequences{{.piece = 0, .begin = 2, .length = 5, .unmeasured = 4}};
  const TokenGrid grid = maker.make(sequences);
  EXPECT_EQ(grid.counted, 1);
  const std::vector<std::int64_t> heard(grid.inputs.begin(), grid.inputs.begin() + 5);
  EXPECT_EQ(heard, std::vector<std::int64_t>(pack.tokens(0).begin() + 2, pack.tokens(0).begin() + 7));
  EXPECT_THAT(grid.targets,
              ElementsAre(kIgnored, kIgnored, kIgnored, kIgnored, pack.tokens(0)[7], kIgnored, kIgnored, kIgnored));
}

}  // namespace
}  // namespace etude::data
