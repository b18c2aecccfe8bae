#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/abc/heard.h"
#include "tests/support/oracle.h"

namespace etude::data::abc {
namespace {

using ::testing::HasSubstr;

constexpr const char* kBook = R"(% a file of tunes
M:6/8
C:Trad.

Words about the tunes, no music: X marks the spot.

X: 7
T:The First
T:Its Other Name
C:Anna
C:Clara
S:a friend
O:Wales
K:D
d3|

X:8
T:The Second % as I heard it
B:O'Neill
K:G
g3|
)";

TEST(AbcBook, TunesKeepTheirFieldsAndText) {
  const Book book = parse(kBook);
  EXPECT_TRUE(book.problems.empty());
  ASSERT_EQ(book.tunes.size(), 2u);
  EXPECT_EQ(book.tunes[0].number, 7);
  EXPECT_EQ(book.tunes[0].line, 7);
  EXPECT_EQ(book.tunes[0].title, "The First");
  EXPECT_EQ(book.tunes[0].composer, "Anna; Clara");
  EXPECT_EQ(book.tunes[0].source, "a friend");
  EXPECT_EQ(book.tunes[0].score.title, "The First");
  EXPECT_EQ(book.tunes[1].title, "The Second");
  EXPECT_EQ(book.tunes[1].composer, "Trad.");
  EXPECT_EQ(book.tunes[1].source, "O'Neill");
  EXPECT_EQ(book.tunes[1].text, "X:8\nT:The Second % as I heard it\nB:O'Neill\nK:G\ng3|\n");
  EXPECT_EQ(book.tunes[1].score.time_signatures.at(0), (TimeSignature{0, 6, 8}));
}

TEST(AbcBook, ATuneThatCannotBeReadIsTheOnlyOneLeftOut) {
  const Book book = parse("X:1\nK:C\nCDE|\n\nX:2\nK:C\nCD?E|\n\nX:3\nK:C\nEDC|\n");
  ASSERT_EQ(book.tunes.size(), 2u);
  EXPECT_EQ(book.tunes[1].number, 3);
  ASSERT_EQ(book.problems.size(), 1u);
  EXPECT_EQ(book.problems[0].line, 7);
  EXPECT_EQ(book.problems[0].column, 3);
  EXPECT_THAT(book.problems[0].what, HasSubstr("'?'"));
}

TEST(AbcBook, WindowsLineEndsAndByteOrderMarksAreNoMusic) {
  const Book book = parse("\xEF\xBB\xBFX:1\r\nT:Title\r\nK:C\r\nC2|\r\n\r\nX:2\r\nK:C\r\nD|\r\n");
  ASSERT_EQ(book.tunes.size(), 2u);
  EXPECT_EQ(book.tunes[0].title, "Title");
}

struct Mistake {
  const char* music;
  int line;
  int column;
  const char* what;
};

TEST(AbcBook, ProblemsNameLineColumnAndFact) {
  const Mistake mistakes[] = {
      {"CD \"Am EF|", 4, 4, "closing quote"},
      {"CD [CE|G]|", 4, 7, "']' before the bar's end"},
      {"CD E]|", 4, 5, "']' without"},
      {"C {ga D|", 4, 3, "closing brace"},
      {"C|-D|", 4, 3, "tie without a note"},
      {"C|>D|", 4, 3, "broken rhythm without"},
      {"CE:D|", 4, 3, "':' without a bar"},
      {"C ^|", 4, 3, "accidental without its note"},
      {"C,,,,,,|", 4, 1, "outside MIDI's 128 keys"},
      {"C0|", 4, 1, "length of 0"},
      {"C/0|", 4, 1, "divided by 0"},
      {"C (0DE|", 4, 3, "tuplet"},
      {"C [M:3]D|", 4, 3, "'3' is no metre"},
      {"C [K:X]D|", 4, 3, "'X' is no key"},
      {"CDE|\nK:Cfoo\n", 5, 1, "'foo' is no mode"},
      {"CDE|\nQ:fast\n", 5, 1, "'fast' is no tempo"},
      {"CDE|\nL:8\nL:0\n", 6, 1, "'0' is no unit length"},
      {"(& C & D &)|", 4, 1, "overlays over several bars"},
      {"C +D|", 4, 3, "'+'"},
  };
  for (const Mistake& mistake : mistakes) {
    const Book book = parse(std::string("X:1\nM:4/4\nK:C\n") + mistake.music + "\n");
    ASSERT_EQ(book.problems.size(), 1u) << mistake.music;
    EXPECT_EQ(book.problems[0].line, mistake.line) << mistake.music;
    EXPECT_EQ(book.problems[0].column, mistake.column) << mistake.music;
    EXPECT_THAT(book.problems[0].what, HasSubstr(mistake.what));
  }
}

TEST(AbcBook, ATuneWithoutKeyOrMusicIsAProblem) {
  EXPECT_THAT(parse("X:1\nT:No key\n").problems.at(0).what, HasSubstr("no K:"));
  EXPECT_THAT(parse("X:1\nT:No key\nCDE|\n").problems.at(0).what, HasSubstr("before the K:"));
  EXPECT_THAT(parse("X:1\nK:C\n").problems.at(0).what, HasSubstr("no music"));
}

TEST(AbcBook, AFileWithoutTunesIsAnErrorThatNamesIt) {
  testing::TemporaryFolder folder;
  const auto error_of = [&](const char* text) -> std::string {
    std::ofstream(folder.path() / "book.abc") << text;
    try {
      read(folder.path() / "book.abc");
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of("no music\n"), HasSubstr("book.abc: no tune"));
  EXPECT_THAT(error_of("X:1\nK:C\nC?\n"), HasSubstr("book.abc:3:2: '?'"));
  EXPECT_EQ(error_of("X:1\nK:C\nC\n"), "no error");
  EXPECT_THROW(read(folder.path() / "missing.abc"), Error);
}

}  // namespace
}  // namespace etude::data::abc
