#include "framework/train/background_floor.h"

#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/floor.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::train {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FloorOfRun : public ::testing::Test {
 protected:
  FloorOfRun() : folder_(where_.path() / "run") { folder_.create(); }

  data::Pack packed(double validation) {
    for (unsigned seed = 1; seed <= 30; ++seed) {
      testing::write_midi(where_.path() / "music" / (std::to_string(seed) + ".mid"), testing::melody(seed));
    }
    data::PackRequest request = testing::request(where_.path() / "music", where_.path() / "pack");
    request.validation = validation;
    data::build_pack(request);
    return data::Pack::open(where_.path() / "pack");
  }

  /// What log.txt has after a run that computed its floor, if it did.
  std::string run(const data::Pack& pack) {
    {
      RunLog log(folder_);
      const BackgroundFloor floor(pack, folder_, log);
      while (floor.working()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return testing::slurp(folder_.log());
  }

  testing::TemporaryFolder where_;
  run::RunFolder folder_;
};

TEST_F(FloorOfRun, IsWrittenAndSaidOnceForAPack) {
  const data::Pack pack = packed(0.3);
  EXPECT_THAT(run(pack), HasSubstr("nats per token on validation: a model that does not get below has learned only"));
  EXPECT_EQ(analysis::read_floor(folder_.floor()).pack, pack.hash());
  const std::string once = testing::slurp(folder_.log());
  EXPECT_EQ(run(pack), once);
}

TEST_F(FloorOfRun, OfAnotherPackOrCutOffIsMadeAnew) {
  const data::Pack pack = packed(0.3);
  run(pack);
  const std::string right = testing::slurp(folder_.floor());
  nlohmann::json other = nlohmann::json::parse(right);
  other["pack"] = "another";
  for (const std::string& content : {other.dump(), right.substr(0, right.size() / 2)}) {
    std::ofstream(folder_.floor()) << content;
    run(pack);
    EXPECT_EQ(testing::slurp(folder_.floor()), right);
  }
}

TEST_F(FloorOfRun, WithoutValidationThereIsNone) {
  EXPECT_EQ(run(packed(0)), "");
  EXPECT_FALSE(std::filesystem::exists(folder_.floor()));
}

TEST_F(FloorOfRun, WhatGoesWrongIsAWarning) {
  const data::Pack pack = packed(0.3);
  std::filesystem::create_directories(folder_.floor() / "in the way");
  EXPECT_THAT(run(pack), HasSubstr("no n-gram floor to compare with"));
}

TEST_F(FloorOfRun, IsThrownAwayWithTheRun) {
  run(packed(0.3));
  ASSERT_TRUE(std::filesystem::exists(folder_.floor()));
  folder_.clear();
  EXPECT_FALSE(std::filesystem::exists(folder_.floor()));
}

}  // namespace
}  // namespace etude::train
