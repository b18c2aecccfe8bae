#include "data/pack/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;

TEST(LabelTables, MeanTunesBeforeBooksAndPathsBeforeNames) {
  const Labels labels = Labels::parse("file,of\nb.abc#2,tune\nb.abc,book\nx/a.mid,path\na.mid,name\na,stem\n", "l.csv");
  EXPECT_THAT(labels.of("b.abc#2"), ElementsAre(Pair("of", "tune")));
  EXPECT_THAT(labels.of("b.abc#1"), ElementsAre(Pair("of", "book")));
  EXPECT_THAT(labels.of("x/a.mid"), ElementsAre(Pair("of", "path")));
  EXPECT_THAT(labels.of("y/a.mid"), ElementsAre(Pair("of", "name")));
  EXPECT_THAT(labels.of("y/a.midi"), ElementsAre(Pair("of", "stem")));
  EXPECT_THAT(labels.of("c.mid"), IsEmpty());
}

TEST(LabelTables, ReadQuotesWindowsLineEndsAndAByteOrderMark) {
  const Labels labels = Labels::parse("\xef\xbb\xbfName,mood\r\na,\"x,\"\"y\"\"\nz\"\r\n\r\nb,", "l.csv");
  EXPECT_THAT(labels.of("a.mid"), ElementsAre(Pair("mood", "x,\"y\" z")));
  EXPECT_THAT(labels.of("b.mid"), ElementsAre(Pair("mood", "")));
  EXPECT_THAT(labels.unused({"a.mid"}), ElementsAre("b"));
}

TEST(LabelTables, SayInWhichLineTheyAreWrong) {
  EXPECT_THAT([] { Labels::parse("song,mood\n", "l.csv"); }, ThrowsMessage<UsageError>(HasSubstr("l.csv:1: ")));
  EXPECT_THAT([] { Labels::parse("file,mood\na,x\nb\n", "l.csv"); },
              ThrowsMessage<UsageError>(HasSubstr("l.csv:3: 1 fields, but the header has 2")));
  EXPECT_THAT([] { Labels::parse("file,mood\na,\"x\ny\"\na,z\n", "l.csv"); },
              ThrowsMessage<UsageError>(HasSubstr("l.csv:4: 'a' stands in the table twice")));
  EXPECT_THROW(Labels::read("/nowhere.csv"), UsageError);
}

}  // namespace
}  // namespace etude::data
