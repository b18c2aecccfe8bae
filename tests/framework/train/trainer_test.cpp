// What all ranks do when one of them meets a loss or gradient that is not finite.
#include "framework/train/trainer.h"

#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/gpt2.h"
#include "tests/data/pack/music.h"
#include "tests/models/support.h"
#include "tests/support/oracle.h"
#include "tests/support/thread_ranks.h"

namespace etude::train {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kLength = 24;
constexpr std::uint64_t kBadGrain = 3;  // of four: the second of two ranks has it

/// Whether the bad grain is bad in this step (0 is the first).
using Poison = std::function<bool(std::uint64_t step)>;

class PoisonedGpt2 : public models::Gpt2 {
 public:
  PoisonedGpt2(std::int64_t vocabulary, Poison poison)
      : Gpt2({.layers = 1, .width = 16, .heads = 2, .dropout = 0.1}, vocabulary, kLength, 1),
        poison_(std::move(poison)) {}

  at::Tensor hidden(const at::Tensor& tokens, models::Memory& memory, const models::DropoutKey* key) override {
    const at::Tensor states = Gpt2::hidden(tokens, memory, key);
    const bool bad = key != nullptr && key->grain == kBadGrain && poison_(key->step);
    return bad ? states * std::numeric_limits<float>::quiet_NaN() : states;
  }

 private:
  Poison poison_;
};

int times(const std::string& text, const std::string& word) {
  int found = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++found;
  return found;
}

struct Outcome {
  std::vector<Ending> endings;      ///< by rank
  std::vector<std::int64_t> steps;  ///< done, by rank
  std::vector<models::NamedTensors> weights;
  std::string log;
  std::string metrics;
};

class NonFiniteTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    for (unsigned i = 0; i < 4; ++i) {
      testing::write_midi(folder_->path() / "music" / (std::to_string(i) + ".mid"), testing::melody(i, 40));
    }
    data::PackRequest request = testing::request(folder_->path() / "music", folder_->path() / "pack");
    request.validation = request.test = 0;
    data::build_pack(request);
  }
  static void TearDownTestSuite() { delete folder_; }

  static Experiment experiment(std::int64_t steps) {
    Experiment made;
    made.name = "poisoned";
    made.data.sequence_length = kLength;
    made.train.steps = steps;
    made.train.global_batch = 8;
    made.train.micro_batch = 2;
    made.train.lr = 1e-2;
    made.train.threads = 1;
    made.train.log_every = 1;
    return made;
  }

  static Outcome run(int ranks, const Experiment& experiment, const Poison& poison) {
    const testing::TemporaryFolder place;
    const run::RunFolder folder(place.path());
    folder.create();
    const auto count = static_cast<std::size_t>(ranks);
    Outcome outcome{std::vector<Ending>(count), std::vector<std::int64_t>(count),
                    std::vector<models::NamedTensors>(count), "", ""};
    testing::ThreadWorld(ranks).run([&](comm::Communicator& communicator) {
      const auto rank = static_cast<std::size_t>(communicator.rank());
      const data::Pack pack = data::Pack::open(folder_->path() / "pack");
      PoisonedGpt2 model(pack.vocabulary().size(), poison);
      RunLog log(rank == 0 ? std::optional(folder) : std::nullopt);
      Trainer trainer(experiment, pack, model, communicator, folder, log);
      outcome.endings[rank] = trainer.train();
      outcome.steps[rank] = trainer.steps_done();
      outcome.weights[rank] = testing::weights_of(model);
    });
    outcome.log = testing::slurp(folder.log());
    outcome.metrics = testing::slurp(folder.metrics());
    return outcome;
  }

  static bool same(const models::NamedTensors& a, const models::NamedTensors& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!a[i].second.equal(b[i].second)) return false;
    }
    return a.size() == b.size();
  }

  static inline testing::TemporaryFolder* folder_ = nullptr;
};

TEST_F(NonFiniteTest, OnOneRankAloneMakesAllRanksSkipTheStepAndNameTheSequences) {
  const Poison third_step = [](std::uint64_t step) { return step == 2; };
  const Outcome two = run(2, experiment(6), third_step);
  EXPECT_THAT(two.endings, Each(Ending::kFinished));
  EXPECT_THAT(two.steps, Each(6));
  EXPECT_TRUE(same(two.weights[0], two.weights[1]));
  EXPECT_THAT(two.log, HasSubstr("step 3: 1 of 4 micro-batches"));
  EXPECT_THAT(two.log, HasSubstr(".mid, tokens "));
  EXPECT_THAT(two.log, HasSubstr("all ranks skip the step"));
  EXPECT_THAT(two.metrics, HasSubstr("\"rank_seconds\":{"));
  EXPECT_THAT(two.metrics, ::testing::ContainsRegex("\"loss\":null[^\n]*\"step\":3,"));  // and no mean of the others
  for (const auto& [name, weight] : two.weights[0]) EXPECT_TRUE(weight.isfinite().all().item<bool>()) << name;

  // A rank alone that has all grains does the same, as do four that have one each, and without the poison it comes out
  // otherwise.
  EXPECT_TRUE(same(run(1, experiment(6), third_step).weights[0], two.weights[0]));
  const Outcome four = run(4, experiment(6), third_step);
  EXPECT_THAT(four.log, HasSubstr("step 3: 1 of 4 micro-batches"));
  for (const auto& weights : four.weights) EXPECT_TRUE(same(weights, two.weights[0]));
  EXPECT_FALSE(same(run(2, experiment(6), [](std::uint64_t) { return false; }).weights[0], two.weights[0]));
}

TEST_F(NonFiniteTest, ASkippedStepChangesNoWeight) {
  Experiment of_one_step = experiment(1);
  const Outcome skipped = run(2, of_one_step, [](std::uint64_t) { return true; });
  const data::Pack pack = data::Pack::open(folder_->path() / "pack");
  const PoisonedGpt2 untouched(pack.vocabulary().size(), {});
  EXPECT_TRUE(same(skipped.weights[0], testing::weights_of(untouched)));
  EXPECT_TRUE(same(skipped.weights[1], testing::weights_of(untouched)));
}

TEST_F(NonFiniteTest, StopsAllRanksWhereTheRunIsToStop) {
  Experiment stopping = experiment(6);
  stopping.train.non_finite = NonFinite::kStop;
  const Outcome outcome = run(2, stopping, [](std::uint64_t step) { return step == 2; });
  EXPECT_THAT(outcome.endings, Each(Ending::kNonFinite));
  EXPECT_THAT(outcome.steps, Each(2));
  EXPECT_THAT(outcome.log, HasSubstr("stopped"));
  EXPECT_THAT(outcome.metrics, Not(HasSubstr("\"step\":3")));
}

TEST_F(NonFiniteTest, TenSkippedInARowStopToo) {
  // Nine in a row, one that is fine, and then no more that is.
  const Outcome outcome =
      run(2, experiment(40), [](std::uint64_t step) { return (step >= 1 && step <= 9) || step >= 11; });
  EXPECT_THAT(outcome.endings, Each(Ending::kNonFinite));
  EXPECT_THAT(outcome.steps, Each(20));
  // Each series is told of where it begins, and where it ends.
  EXPECT_EQ(times(outcome.log, "not finite"), 3);
  EXPECT_THAT(outcome.log, HasSubstr("step 2: 1 of 4 micro-batches"));
  EXPECT_THAT(outcome.log, HasSubstr("step 11: finite again, after 9 skipped steps"));
  EXPECT_THAT(outcome.log, HasSubstr("stopped, after 10 such steps in a row"));
}

}  // namespace
}  // namespace etude::train
