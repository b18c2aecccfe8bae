#include <gtest/gtest.h>

#include "framework/parallel/bucket_layout.h"

namespace {

using etude::parallel::BucketLayout;
using etude::parallel::lay_into_buckets;

TEST(BucketLayout, BeginsWithTheLastParameterAndFillsBucketsToTheirSize) {
  // 10 values fit: 4 + 5 go together; 3 begins the next and 7 fills it; 20 is too large for any.
  const BucketLayout layout = lay_into_buckets({20, 7, 3, 5, 4}, 40);
  ASSERT_EQ(layout.buckets.size(), 3U);
  EXPECT_EQ(layout.buckets[0].values, 9);
  EXPECT_EQ(layout.buckets[1].values, 10);
  EXPECT_EQ(layout.buckets[2].values, 20);
  EXPECT_EQ(layout.buckets[0].parameters, 2U);
  EXPECT_EQ(layout.slots[4].offset, 0);
  EXPECT_EQ(layout.slots[3].offset, 4);
  EXPECT_EQ(layout.slots[2].bucket, 1U);
  EXPECT_EQ(layout.slots[1].offset, 3);
  EXPECT_EQ(layout.slots[0].bucket, 2U);
  EXPECT_EQ(layout.largest_bucket(), 20);
}

TEST(BucketLayout, TakesAModelWithoutParametersAndParametersWithoutValues) {
  EXPECT_TRUE(lay_into_buckets({}, 40).buckets.empty());
  const BucketLayout layout = lay_into_buckets({0, 3, 0}, 40);
  ASSERT_EQ(layout.buckets.size(), 1U);
  EXPECT_EQ(layout.buckets[0].parameters, 3U);
}

}  // namespace
