#include "data/tokenizer/time_grid.h"

#include <gtest/gtest.h>

#include "data/tokenizer/quantize.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

TimeGrid standard() { return {TimeGrid::default_resolutions(), TimeGrid::default_meters()}; }

std::string nearest(std::int64_t ticks, int ticks_per_position) {
  const TimeGrid grid = standard();
  return grid.duration_names()[static_cast<std::size_t>(grid.nearest_duration(ticks, ticks_per_position))];
}

TEST(TimeGrid, DurationsGoToTheNearestAndHalvesToTheLonger) {
  EXPECT_EQ(nearest(0, 1), "0.1.8");   // nothing is shorter
  EXPECT_EQ(nearest(31, 1), "3.7.8");  // the last eighth of a beat
  EXPECT_EQ(nearest(33, 1), "4.1.4");  // from four beats on there are quarters of a beat: 32 and 34 are equally near
  EXPECT_EQ(nearest(3, 2), "0.2.8");   // two ticks a position: 2 and 4 are equally near
  EXPECT_EQ(nearest(96, 1), "12.0.4");
  EXPECT_EQ(nearest(1'000'000, 1), "12.0.4");
}

TEST(TimeGrid, ABeatIsOneUnitOfTheDenominator) {
  const TimeGrid grid = standard();
  EXPECT_EQ(grid.positions_per_bar(grid.find({4, 4}).value()), 32);
  EXPECT_EQ(grid.positions_per_bar(grid.find({6, 8}).value()), 48);
  EXPECT_EQ(grid.most_positions_per_bar(), 96);
  EXPECT_FALSE(grid.find({7, 8}).has_value());
}

TEST(TimeGrid, RefusesWhatIsNoGrid) {
  const auto meters = TimeGrid::default_meters();
  EXPECT_THROW(TimeGrid({}, meters), Error);
  EXPECT_THROW(TimeGrid({{1, 4, 8}}, meters), Error);              // begins at 1
  EXPECT_THROW(TimeGrid({{0, 4, 8}, {5, 12, 4}}, meters), Error);  // a hole
  EXPECT_THROW(TimeGrid({{0, 4, 8}, {4, 12, 3}}, meters), Error);  // 3 does not divide 8
  EXPECT_THROW(TimeGrid({{0, 4, 0}}, meters), Error);
  EXPECT_THROW(TimeGrid({{0, 4, 8}}, {{3, 4}}), Error);  // no 4/4
  EXPECT_THROW(TimeGrid({{0, 4, 8}}, {{4, 4}, {4, 4}}), Error);
  EXPECT_THROW(TimeGrid({{0, 4, 8}}, {{4, 4}, {4, 6}}), Error);
  EXPECT_THROW(TimeGrid({{0, 4, 8}}, {{4, 4}, {0, 4}}), Error);
}

TEST(VelocityScale, GoesToTheNearestAndHalvesToTheLouder) {
  const VelocityScale scale(32);  // 3, 7, 11, …, 63, 67, …, 123, 127
  const auto nearest_value = [&](int velocity) {
    return scale.values()[static_cast<std::size_t>(scale.nearest(velocity))];
  };
  EXPECT_EQ(scale.values().size(), 32U);
  EXPECT_EQ(nearest_value(1), 3);
  EXPECT_EQ(nearest_value(5), 7);
  EXPECT_EQ(nearest_value(64), 63);
  EXPECT_EQ(nearest_value(65), 67);
  EXPECT_EQ(nearest_value(127), 127);
  EXPECT_THROW(VelocityScale(0), Error);
  EXPECT_THROW(VelocityScale(128), Error);
}

}  // namespace
}  // namespace etude::data
