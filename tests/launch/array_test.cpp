#include "launch/array.h"

#include <gmock/gmock.h>

#include "framework/config/error.h"

namespace etude::launch {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> suffixes(const std::vector<std::string>& arrays) {
  std::vector<std::string> found;
  for (const Member& member : members(arrays)) found.push_back(member.suffix);
  return found;
}

TEST(Array, IsARangeOrAList) {
  EXPECT_THAT(suffixes({}), ElementsAre(""));
  EXPECT_THAT(suffixes({"seed=1..3"}), ElementsAre("-seed-1", "-seed-2", "-seed-3"));
  EXPECT_THAT(suffixes({"train.lr=1e-3,3e-4"}), ElementsAre("-lr-1e-3", "-lr-3e-4"));
  EXPECT_THAT(members({"data.transpose.semitones=[-5,6],[0,0]"})[1].assignments,
              ElementsAre("data.transpose.semitones=[0,0]"));
  EXPECT_THAT(suffixes({"seed=1,2", "model.layers=4,8"}),
              ElementsAre("-seed-1-layers-4", "-seed-1-layers-8", "-seed-2-layers-4", "-seed-2-layers-8"));
}

TEST(Array, RefusesWhatMakesNoSense) {
  for (const std::string wrong :
       {"seed", "=1..3", "seed=3..1", "seed=1..5000", "seed=1,,2", "seed=", "seed=1,1", "a=x/y,x y"}) {
    EXPECT_THROW(members({wrong}), UsageError) << wrong;
  }
  EXPECT_THROW(members({"a=1..100", "b=1..100"}), UsageError);
}

}  // namespace
}  // namespace etude::launch
