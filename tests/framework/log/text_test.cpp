#include "framework/log/text.h"

#include <gmock/gmock.h>

namespace etude::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Text, HasNothingInItThatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[2Jb\x07\x7f", true), U"a?[2Jb??");
  EXPECT_EQ(printable("\xC2\x9B\xE2\x80\xAE|\xEF\xBB\xBF", true), U"??|?");  // CSI in one byte, right-to-left, BOM
  EXPECT_EQ(printable("\xFF\xC0\xAF\xED\xA0\x80\xF4\x90\x80\x80", true), U"????????");  // no UTF-8
  EXPECT_EQ(printable("a\tb\nc", true), U"a b c");
  EXPECT_EQ(printable("Dvořák 夜", true), U"Dvořák 夜");
  EXPECT_EQ(printable("Dvořák 夜", false), U"Dvo??k ?");
}

TEST(Text, TakesTheColumnsThatTerminalsGiveIt) {
  EXPECT_EQ(columns_of(U"Dvořák"), 6);
  EXPECT_EQ(columns_of(U"夜想曲"), 6);
  EXPECT_EQ(columns_of(U"e\u0301"), 1);
}

TEST(Text, IsWrappedAtSpaces) {
  EXPECT_THAT(wrapped(U"one two three", 7), ElementsAre(U"one two", U"three"));
  EXPECT_THAT(wrapped(U"one two three", 8), ElementsAre(U"one two", U"three"));
  EXPECT_THAT(wrapped(U"unbreakable", 4), ElementsAre(U"unbr", U"eaka", U"ble"));
  EXPECT_THAT(wrapped(U"夜想曲", 1), ElementsAre(U"夜", U"想", U"曲"));
  EXPECT_THAT(wrapped(U"", 4), IsEmpty());
}

}  // namespace
}  // namespace etude::log
