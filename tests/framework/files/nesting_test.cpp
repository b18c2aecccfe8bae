#include "framework/files/nesting.h"

#include <string>

#include <gtest/gtest.h>

namespace etude::files {
namespace {

TEST(Nesting, IsCountedInBracketsThatAreOpenAtOnce) {
  EXPECT_FALSE(nests_deeper("", 0));
  EXPECT_FALSE(nests_deeper("1", 0));
  EXPECT_TRUE(nests_deeper("[]", 0));
  EXPECT_FALSE(nests_deeper("[[], {\"a\": []}]", 3));
  EXPECT_TRUE(nests_deeper("[[], {\"a\": []}]", 2));
  EXPECT_FALSE(nests_deeper("[1]\n[2]\n[3]\n", 1));
  EXPECT_TRUE(nests_deeper(std::string(1'000'000, '[')));
}

TEST(Nesting, BracketsInTextsAreNone) {
  EXPECT_FALSE(nests_deeper(R"({"a [[[": "\"[[[", "\\": 1})", 1));
  EXPECT_TRUE(nests_deeper(R"({"a": "\\", "b": []})", 1));
}

TEST(Nesting, DamagedTextsAreCountedToo) {
  EXPECT_FALSE(nests_deeper("]]]}}[", 1));
  EXPECT_FALSE(nests_deeper("[\"[[[[", 1));
  EXPECT_FALSE(nests_deeper("[\"\\", 1));
}

}  // namespace
}  // namespace etude::files
