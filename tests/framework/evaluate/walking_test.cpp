// What a model knows of a piece when it is measured: its memory, the segment, or a window; and nothing of other pieces.
#include <cmath>
#include <functional>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "framework/evaluate/evaluator.h"
#include "framework/evaluate/metrics.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"
#include "tests/support/thread_ranks.h"

namespace etude::evaluate {
namespace {

/// Remembers the sum of all tokens that it has heard of a piece, or nothing when its memory has the length 0, and finds
/// those tokens likely that are near this sum, round the clock of the vocabulary.
class Summing : public models::Model {
 public:
  explicit Summing(std::int64_t vocabulary)
      : vocabulary_(vocabulary), parameters_{{"unused", at::zeros({1}).requires_grad_(true)}} {}
  std::string kind() const override { return "summing"; }
  const std::vector<models::Parameter>& parameters() const override { return parameters_; }
  std::int64_t context() const override { return 1000; }
  std::int64_t vocabulary_size() const override { return vocabulary_; }
  bool remembers() const override { return true; }
  models::Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t> length) const override {
    return {.tensors = {at::full({lanes, length.value_or(1)}, 12345.0)},  // what is not heard must not be looked at
            .heard = std::vector<std::int64_t>(static_cast<std::size_t>(lanes)),
            .loss = {}};
  }
  at::Tensor hidden(const at::Tensor& tokens, models::Memory& memory, const models::DropoutKey*) override {
    at::Tensor& remembered = memory.tensors.at(0);
    at::Tensor before = at::zeros({tokens.size(0), 1});
    for (std::int64_t lane = 0; lane < tokens.size(0); ++lane) {
      auto& heard = memory.heard[static_cast<std::size_t>(lane)];
      if (heard > 0 && remembered.size(1) > 0) before[lane] = remembered[lane];
      heard += tokens.size(1);
    }
    const at::Tensor sums = tokens.to(at::kFloat).cumsum(1) + before;
    if (remembered.size(1) > 0) remembered = sums.narrow(1, sums.size(1) - 1, 1).clone();
    return sums.unsqueeze(-1);
  }
  at::Tensor logits(const at::Tensor& hidden) override {
    const at::Tensor distance = (at::arange(vocabulary_).to(at::kFloat) - hidden).remainder(vocabulary_);
    return distance / -10.0;
  }
  std::unique_ptr<models::Decoder> decoder(std::int64_t) override { throw std::logic_error("it plays nothing"); }
  std::unique_ptr<Model> replica() const override { return std::make_unique<Summing>(vocabulary_); }
  nlohmann::json hugging_face_config() const override { return nlohmann::json::object(); }
  double training_flops_per_token(std::int64_t) const override { return 0; }

 private:
  std::int64_t vocabulary_;
  std::vector<models::Parameter> parameters_;
};

class WalkingTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    for (unsigned i = 0; i < 8; ++i) {
      testing::write_midi(folder_->path() / "music" / (std::to_string(i) + ".mid"),
                          testing::melody(i, 5 + static_cast<int>(i) * 7));
    }
    data::PackRequest request = testing::request(folder_->path() / "music", folder_->path() / "pack");
    request.validation = 0.8;
    request.test = 0;
    data::build_pack(request);
    pack_ = new data::Pack(data::Pack::open(folder_->path() / "pack"));
  }
  static void TearDownTestSuite() {
    delete pack_;
    delete folder_;
  }

  static Tally run(const Selection& selection, comm::Communicator& communicator, int threads = 1) {
    parallel::WorkerPool workers(threads);
    std::vector<std::unique_ptr<models::Model>> owned;
    std::vector<models::Model*> models;
    for (int i = 0; i < threads; ++i) {
      models.push_back(owned.emplace_back(std::make_unique<Summing>(pack_->vocabulary().size())).get());
    }
    return evaluate(models, *pack_, selection, communicator, workers);
  }
  static Tally run(const Selection& selection) {
    comm::SingleProcess alone;
    return run(selection, alone);
  }

  /// The mean loss over the first `most` tokens, where token t of a piece is predicted from those from first_heard(t)
  /// on; worked out in double, one token after the other.
  static double expected(const std::function<std::int64_t(std::int64_t token)>& first_heard,
                         std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const auto vocabulary = static_cast<double>(pack_->vocabulary().size());
    double normaliser = 0, sum = 0;
    for (double distance = 0; distance < vocabulary; ++distance) normaliser += std::exp(-distance / 10);
    std::int64_t count = 0;
    for (std::size_t piece = 0; piece < pack_->pieces(data::Split::kValidation).size(); ++piece) {
      const auto tokens = testing::tokens_of(*pack_, data::Split::kValidation, piece);
      for (std::int64_t t = 1; t < std::ssize(tokens) && count < most; ++t, ++count) {
        double heard = 0;
        for (std::int64_t i = first_heard(t); i < t; ++i) heard += tokens[static_cast<std::size_t>(i)];
        double distance = std::fmod(tokens[static_cast<std::size_t>(t)] - heard, vocabulary);
        if (distance < 0) distance += vocabulary;
        sum += distance / 10 + std::log(normaliser);
      }
    }
    return sum / static_cast<double>(count);
  }

  static inline testing::TemporaryFolder* folder_ = nullptr;
  static inline data::Pack* pack_ = nullptr;
};

TEST_F(WalkingTest, AModelThatRemembersKnowsItsPieceFromTheBeginningAndNoOther) {
  ASSERT_GE(pack_->pieces(data::Split::kValidation).size(), 4U);
  const double from_the_beginning = expected([](std::int64_t) { return 0; });
  for (const std::int64_t rows : {1, 2, 3, 10}) {
    for (const std::int64_t length : {16, 24, 1000}) {
      const Metrics found = metrics(run({.sequence_length = length, .rows = rows}));
      EXPECT_NEAR(found.loss, from_the_beginning, 1e-4) << rows << " rows of " << length;
    }
  }
}

TEST_F(WalkingTest, AnotherLengthOfMemoryMayBeChosen) {
  const Metrics found = metrics(run({.sequence_length = 24, .rows = 3, .memory = 0}));
  EXPECT_NEAR(found.loss, expected([](std::int64_t token) { return (token - 1) / 24 * 24; }), 1e-4);
}

TEST_F(WalkingTest, ASlidingWindowIsAllThatIsKnownOfEachToken) {
  const auto within = [](std::int64_t window) {
    return [window](std::int64_t token) { return std::max<std::int64_t>(0, token - window); };
  };
  for (const std::int64_t window : {1, 20, 33}) {
    const Metrics found = metrics(run({.rows = 5, .window = window}));
    EXPECT_NEAR(found.loss, expected(within(window)), 1e-4) << "a window of " << window;
  }
  for (const std::int64_t tokens : {10, 100}) {
    const Metrics found = metrics(run({.rows = 5, .tokens = tokens, .window = 20}));
    EXPECT_EQ(found.tokens, tokens);
    EXPECT_NEAR(found.loss, expected(within(20), tokens), 1e-4);
  }
}

TEST_F(WalkingTest, LossIsToldByThePlaceInThePieceWhateverTheWay) {
  std::vector<std::int64_t> counts;  // of positions 0 to 15, 16 to 31, 32 to 63, …
  for (const data::Piece& piece : pack_->pieces(data::Split::kValidation)) {
    for (std::int64_t position = 0; position < piece.tokens - 1; ++position) {
      std::size_t stretch = 0;
      while (position >= std::int64_t{16} << stretch) ++stretch;
      counts.resize(std::max(counts.size(), stretch + 1));
      ++counts[stretch];
    }
  }
  for (const Selection& selection : {Selection{.sequence_length = 24, .rows = 3}, Selection{.rows = 3, .window = 20}}) {
    const auto found = run(selection).by_position();
    ASSERT_EQ(found.size(), counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) EXPECT_EQ(found[i].tokens, counts[i]) << "stretch " << i;
  }
}

TEST_F(WalkingTest, TheSameBitsOnAnyNumberOfRanksAndThreads) {
  for (const Selection& selection : {Selection{.sequence_length = 24, .rows = 2}, Selection{.rows = 2, .window = 20}}) {
    comm::SingleProcess alone;
    const std::vector<std::int64_t> one = run(selection).values();
    EXPECT_EQ(run(selection, alone, 3).values(), one);
    std::mutex mutex;
    testing::ThreadWorld(3).run([&](comm::Communicator& communicator) {
      const std::vector<std::int64_t> mine = run(selection, communicator, 2).values();
      const std::lock_guard lock(mutex);
      EXPECT_EQ(mine, one);
    });
  }
}

TEST_F(WalkingTest, AWindowLargerThanTheModelTakesIsRefused) {
  try {
    run({.window = 1001});
    FAIL() << "1001 tokens were taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("1000"));
  }
}

}  // namespace
}  // namespace etude::evaluate
