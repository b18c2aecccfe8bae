// What grains remember from step to step, wherever they are computed.
#include "framework/train/lanes.h"

#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "framework/config/document.h"
#include "framework/config/error.h"
#include "framework/train/grain_runner.h"
#include "models/registry.h"
#include "tests/framework/train/remembering_model.h"
#include "tests/support/thread_ranks.h"

namespace etude::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RememberingModel;

/// One row of a grain: its inputs, and whether it goes on where the row before it ended.
struct Row {
  std::vector<std::int64_t> tokens;
  bool continues = false;
};

/// Every target is 1, so that a grain's loss is the sum of what its tokens are predicted from.
data::TokenGrid grid(const std::vector<Row>& rows) {
  data::TokenGrid made;
  made.rows = std::ssize(rows);
  made.columns = std::ssize(rows.front().tokens);
  for (const Row& row : rows) {
    made.inputs.insert(made.inputs.end(), row.tokens.begin(), row.tokens.end());
    made.sequences.push_back({.length = made.columns, .continues = row.continues});
  }
  made.targets.assign(made.inputs.size(), 1);
  made.counted = std::ssize(made.targets);
  return made;
}

/// Runs steps of grains, of which each rank computes its own.
class Bench {
 public:
  Bench(comm::Communicator& communicator, std::int64_t grains, std::int64_t rows, int threads = 1)
      : mine(parallel::grains_of_rank(grains, communicator.rank(), communicator.size())),
        workers(threads),
        reducer(communicator, {RememberingModel::kVocabulary, 1, 1}, grains, {}),
        lanes(model, grains, rows, communicator.rank(), communicator.size()),
        runner(model, workers, reducer, &lanes) {}

  std::vector<GrainResult> step(const std::vector<data::TokenGrid>& grains) {
    data::StepData data;
    data.first_grain = mine.begin;
    data.grains.assign(grains.begin() + mine.begin, grains.begin() + mine.end);
    for (const data::TokenGrid& grain : grains) data.counted += grain.counted;
    reducer.begin();
    const auto results = runner.run(data, 1, 0.0);
    gradients.clear();
    for (const at::Tensor& gradient : reducer.finish()) gradients.push_back(gradient.clone());
    return results;
  }

  parallel::GrainRange mine;
  RememberingModel model;
  parallel::WorkerPool workers;
  parallel::GradientReducer reducer;
  Lanes lanes;
  GrainRunner runner;
  std::vector<at::Tensor> gradients;
};

TEST(Lanes, RememberTheirPieceAndForgetItWhereTheNextBegins) {
  comm::SingleProcess alone;
  Bench bench(alone, 1, 2);
  // weight[t] is t and gain 1: token t after a sum of s counts t + s + t.
  EXPECT_EQ(bench.step({grid({{{1, 2}}, {{5, 5}}})})[0].loss, (1 + 1) + (2 + 3) + (5 + 5) + (5 + 10));
  // The first lane goes on after a sum of 3. The second begins another piece, in the middle of the batch.
  EXPECT_EQ(bench.step({grid({{{3, 1}, true}, {{1, 1}, false}})})[0].loss, (3 + 6) + (1 + 7) + (1 + 1) + (1 + 2));
  EXPECT_EQ(bench.step({grid({{{0, 0}, true}, {{0, 0}, true}})})[0].loss, 7 + 7 + 2 + 2);
}

TEST(Lanes, AMarkerInOnePieceIsNeverFoundInTheNext) {
  // What a lane says of piece B is the same after piece A, whatever that was, as without it, in every bit.
  comm::SingleProcess alone;
  const auto loss_of_b_after = [&](const std::vector<Row>& pieces) {
    Bench bench(alone, 1, 1);
    for (const Row& row : pieces) bench.step({grid({row})});
    bench.step({grid({{{2, 3}}})});
    return bench.step({grid({{{4, 1}, true}})})[0].loss;
  };
  const float expected = loss_of_b_after({});
  EXPECT_EQ(expected, (4 + 9) + (1 + 10));
  EXPECT_EQ(loss_of_b_after({{{9, 9}}}), expected);
  EXPECT_EQ(loss_of_b_after({{{9, 9}}, {{9, 9}, true}, {{9, 9}, true}}), expected);
}

constexpr std::int64_t kMarker = 13, kLength = 16;

std::vector<std::int64_t> music(std::int64_t seed) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t i = 0; i < kLength; ++i) tokens.push_back((seed + i * i) % 11);
  return tokens;
}

/// The loss of each step of one grain, by a real model.
std::vector<float> losses_of(const std::string& kind, const std::vector<std::vector<Row>>& steps) {
  models::ModelOptions options;
  config::Section section;
  models::describe(section, options);
  config::load_text(section, "{kind: " + kind + ", layers: 2, width: 16, heads: 2, dropout: 0}", "the test");
  const auto model = models::make_model(options, kMarker + 1, kLength, 1);
  comm::SingleProcess alone;
  parallel::WorkerPool workers(1);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model->parameters()) sizes.push_back(parameter.value.numel());
  parallel::GradientReducer reducer(alone, sizes, 1, {});
  Lanes lanes(*model, 1, std::ssize(steps.front()), 0, 1);
  GrainRunner runner(*model, workers, reducer, &lanes);
  std::vector<float> losses;
  for (const std::vector<Row>& rows : steps) {
    data::StepData step;
    step.grains = {grid(rows)};
    step.counted = step.grains.front().counted;
    reducer.begin();
    losses.push_back(runner.run(step, 1, 0.0)[0].loss);
    reducer.finish();
  }
  return losses;
}

TEST(Lanes, AMarkerInOnePieceIsNeverFoundInTheNextWhateverTheModel) {
  for (const std::string kind : {"transformer_xl", "compressive_transformer", "recurrent_memory_transformer"}) {
    SCOPED_TRACE(kind);
    // Alone in its grain, piece B is what it is without a piece before it.
    const Row marker{std::vector<std::int64_t>(kLength, kMarker), false}, more_of_it{marker.tokens, true};
    const Row b{music(3), false}, more_of_b{music(3), true};
    const std::vector<float> expected = losses_of(kind, {{b}, {more_of_b}});
    EXPECT_NE(expected[0], expected[1]) << "remembers nothing";
    const std::vector<float> found = losses_of(kind, {{marker}, {more_of_it}, {more_of_it}, {b}, {more_of_b}});
    EXPECT_EQ(std::vector(found.begin() + 3, found.end()), expected);
    // Beside a lane that goes on, so that there is a memory to be looked at, it does not matter what the piece was.
    const Row other{music(1), false}, more_of_other{music(2), true}, beside{music(7), true};
    const auto after = [&](const Row& first, const Row& second) {
      const std::vector<float> all =
          losses_of(kind, {{beside, first}, {beside, second}, {beside, second}, {beside, b}, {beside, more_of_b}});
      return std::vector(all.begin() + 3, all.end());
    };
    EXPECT_EQ(after(marker, more_of_it), after(other, more_of_other));
  }
}

TEST(Lanes, WhatFormingAMemoryCostsIsLearnedFromButToldApart) {
  comm::SingleProcess alone;
  Bench bench(alone, 2, 1);
  const auto results = bench.step({grid({{{1, 2}}}), grid({{{3, 4}}})});
  EXPECT_EQ(results[0].loss, (1 + 1) + (2 + 3));
  EXPECT_EQ(results[0].memory_loss, 0.5f * 2);
  // Four targets, four tokens: d(cost * 4) / 4.
  EXPECT_EQ(bench.gradients[2].item<float>(), 1.0f);
  EXPECT_EQ(bench.gradients[1].item<float>(), (1 + 3 + 3 + 7) / 4.0f);
}

TEST(Lanes, AGrainThatIsNotFiniteForgets) {
  comm::SingleProcess alone;
  Bench bench(alone, 2, 1);
  bench.step({grid({{{1, 2}}}), grid({{{1, 2}}})});
  const auto bad = bench.step({grid({{{RememberingModel::kNotANumber, 2}, true}}), grid({{{1, 2}, true}})});
  EXPECT_FALSE(bad[0].finite);
  EXPECT_TRUE(bad[1].finite);
  const auto after = bench.step({grid({{{0}, true}}), grid({{{0}, true}})});
  EXPECT_EQ(after[0].loss, 0.0f);  // as if its piece began here
  EXPECT_TRUE(after[0].finite);
  EXPECT_EQ(after[1].loss, 6.0f);  // the other goes on
}

/// Three steps of four grains of two lanes, some of which begin pieces.
std::vector<std::vector<data::TokenGrid>> steps() {
  std::vector<std::vector<data::TokenGrid>> made(6);
  for (std::size_t step = 0; step < made.size(); ++step) {
    for (std::int64_t grain = 0; grain < 4; ++grain) {
      const auto token = [&](std::int64_t i) { return (static_cast<std::int64_t>(step) * 5 + grain * 3 + i) % 8; };
      const bool first = step % 3 != 0 || grain == 1, second = step % 2 != 0;
      made[step].push_back(grid({{{token(0), token(1)}, first && step > 0}, {{token(2), token(3)}, second}}));
    }
  }
  return made;
}

/// The losses of all grains, by step; the lanes are gathered and given to other ranks after step 2 where `ranks` says.
std::vector<std::map<std::int64_t, float>> losses_on(std::vector<int> ranks, int threads = 1) {
  std::vector<std::map<std::int64_t, float>> losses(steps().size());
  models::NamedTensors saved;
  for (std::size_t part = 0; part < ranks.size(); ++part) {
    std::mutex mutex;
    testing::ThreadWorld(ranks[part]).run([&](comm::Communicator& communicator) {
      Bench bench(communicator, 4, 2, threads);
      if (part > 0) bench.lanes.load(saved, "a checkpoint");
      const std::size_t from = 3 * part, to = part + 1 < ranks.size() ? from + 3 : steps().size();
      for (std::size_t step = from; step < to; ++step) {
        const auto results = bench.step(steps()[step]);
        const std::lock_guard lock(mutex);
        for (std::size_t i = 0; i < results.size(); ++i) {
          losses[step][bench.mine.begin + static_cast<std::int64_t>(i)] = results[i].loss;
        }
      }
      communicator.barrier();  // the ones that load are done
      const models::NamedTensors gathered = bench.lanes.gather(communicator);
      EXPECT_EQ(gathered.empty(), communicator.rank() != 0);
      if (communicator.rank() == 0) saved = gathered;
    });
  }
  return losses;
}

TEST(Lanes, StayWithTheirPiecesOnAnyNumberOfRanksAndThreadsAndAcrossACheckpoint) {
  const auto expected = losses_on({1});
  EXPECT_EQ(losses_on({1}, 3), expected);
  EXPECT_EQ(losses_on({2}), expected);
  EXPECT_EQ(losses_on({4}), expected);
  EXPECT_EQ(losses_on({1, 4}), expected);
  EXPECT_EQ(losses_on({3, 2}), expected);
  EXPECT_EQ(losses_on({4, 1}), expected);
}

TEST(Lanes, GatheredAreThoseOfEachLaneInOrder) {
  testing::ThreadWorld(2).run([](comm::Communicator& communicator) {
    Bench bench(communicator, 4, 1);
    bench.step({grid({{{1, 1}}}), grid({{{2, 2}}}), grid({{{3, 3}}}), grid({{{4, 4}}})});
    bench.step({grid({{{1, 1}, true}}), grid({{{2, 2}}}), grid({{{3, 3}, true}}), grid({{{4, 4}}})});
    const models::NamedTensors all = bench.lanes.gather(communicator);
    if (communicator.rank() != 0) return;
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].first, "heard");
    EXPECT_TRUE(all[0].second.equal(at::tensor({4, 2, 4, 2}, at::kLong)));
    EXPECT_EQ(all[1].first, "memory.0");
    EXPECT_TRUE(all[1].second.equal(at::tensor({4.0f, 4.0f, 12.0f, 8.0f}).view({4, 1})));
  });
}

TEST(Lanes, OfAnotherShapeAreRefused) {
  comm::SingleProcess alone;
  Bench four(alone, 4, 1), two(alone, 2, 1);
  const auto said = [&](const models::NamedTensors& saved) {
    try {
      two.lanes.load(saved, "step-00000007");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(said(four.lanes.gather(alone)), ::testing::AllOf(HasSubstr("step-00000007"), HasSubstr("heard")));
  EXPECT_THAT(said({}), HasSubstr("holds no tensor 'heard'"));
}

}  // namespace
}  // namespace etude::train
