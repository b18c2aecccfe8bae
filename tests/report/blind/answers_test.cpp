// Files come from listeners by mail: cut off, of another session, twice, or not what they say.
#include "report/blind/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/report/blind/session.h"
#include "tests/support/oracle.h"

namespace etude::blind {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class AnswerFiles : public ::testing::Test {
 protected:
  json sheet(const std::string& listener = "aa") const {
    return sheet_of(key_, listener, [](const std::string&, const std::string&) { return "first"; });
  }
  std::filesystem::path write_sheet(const std::string& name, const json& object) const {
    return write(folder_.path() / name, object.dump());
  }
  std::string refusal(const std::filesystem::path& file) const {
    const Answers answers = collect({file}, key_);
    EXPECT_TRUE(answers.sheets.empty());
    if (answers.refused.size() != 1) return "";
    EXPECT_EQ(answers.refused[0].file, file.string());
    try {
      read_sheet(file, key_);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file.string()));
    }
    return answers.refused[0].reason;
  }

  testing::TemporaryFolder folder_;
  Key key_ = key_of(2, 4, 4);
};

TEST_F(AnswerFiles, AreReadAsTheyWereGiven) {
  json given = sheet();
  given["name"] = "Älto <b>";
  given["answers"][1]["choices"] = {"neither"};
  given["answers"][2]["choices"] = {"second"};
  given["answers"][3]["known"] = {"second"};
  std::swap(given["answers"][0]["first"],
            given["answers"][0]["second"]);  // this listener heard them the other way round
  const Sheet read = read_sheet(write_sheet("a.json", given), key_);
  EXPECT_EQ(read.name, "Älto <b>");
  ASSERT_EQ(read.answers.size(), 4u);
  EXPECT_EQ(read.answers[0].first, key_.comparisons[0][1]);
  EXPECT_EQ(read.answers[0].choices[0], Choice::kFirst);
  EXPECT_EQ(read.answers[1].choices[0], Choice::kNeither);
  EXPECT_EQ(read.answers[2].choices[0], Choice::kSecond);
  EXPECT_FALSE(read.answers[3].knew_first);
  EXPECT_TRUE(read.answers[3].knew_second);
}

TEST_F(AnswerFiles, CutOffAnywhereAreRefused) {
  const std::string whole = sheet().dump();
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    EXPECT_THAT(refusal(write(folder_.path() / "cut.json", whole.substr(0, length))), HasSubstr("no whole JSON"))
        << length;
  }
}

TEST_F(AnswerFiles, OfAnotherSessionAreRefused) {
  json foreign = sheet();
  foreign["session"] = "ffeeddccbbaa99887766554433221100";
  EXPECT_THAT(refusal(write_sheet("b.json", foreign)), HasSubstr("another listening test"));
}

TEST_F(AnswerFiles, ThatDoNotFitTheSessionAreRefused) {
  const auto broken = [&](const std::string& what, auto change) {
    json object = sheet();
    change(object);
    EXPECT_NE(refusal(write_sheet("c.json", object)), "") << what;
  };
  broken("a picture", [](json& o) { o = {{"format", "png"}}; });
  broken("a list", [](json& o) { o = json::array(); });
  broken("a later version", [](json& o) { o["version"] = 2; });
  broken("no listener", [](json& o) { o["listener"] = ""; });
  broken("a listener of another type", [](json& o) { o["listener"] = 7; });
  broken("a name without end", [](json& o) { o["name"] = std::string(1000, 'x'); });
  broken("no answers", [](json& o) { o.erase("answers"); });
  broken("answers that are none", [](json& o) { o["answers"] = {1, 2}; });
  broken("a comparison that was not", [](json& o) { o["answers"][0]["comparison"] = 99; });
  broken("a negative comparison", [](json& o) { o["answers"][0]["comparison"] = -1; });
  broken("pieces of another comparison",
         [](json& o) { std::swap(o["answers"][0]["comparison"], o["answers"][1]["comparison"]); });
  broken("a piece that is not there", [](json& o) { o["answers"][0]["first"] = "zz"; });
  broken("a choice that there is not", [](json& o) { o["answers"][0]["choices"] = {"both"}; });
  broken("no choice", [](json& o) { o["answers"][0]["choices"] = {nullptr}; });
  broken("answers to other questions", [](json& o) { o["answers"][0]["choices"] = {"first", "first"}; });
  broken("one comparison twice", [](json& o) { o["answers"][1] = o["answers"][0]; });
}

TEST_F(AnswerFiles, BadOnesDoNotTakeGoodOnesWithThem) {
  const auto good = write_sheet("good.json", sheet());
  const auto bad = write(folder_.path() / "bad.json", "{");
  const Answers answers = collect({bad, good, folder_.path() / "absent.json"}, key_);
  EXPECT_EQ(answers.sheets.size(), 1u);
  EXPECT_EQ(answers.refused.size(), 2u);
}

TEST_F(AnswerFiles, TheSameTwiceCountOnce) {
  const auto one = write_sheet("one.json", sheet()), copy = write_sheet("one (1).json", sheet());
  const Answers answers = collect({one, copy, one}, key_);
  EXPECT_EQ(answers.sheets.size(), 1u);
  ASSERT_EQ(answers.remarks.size(), 2u);
  EXPECT_THAT(answers.remarks[0], HasSubstr("one (1).json"));
}

TEST_F(AnswerFiles, OfOneListenerTheLastCounts) {
  json early = sheet();
  early["answers"].erase(2);
  json late = sheet();
  late["saved"] = "2024-05-01T19:00:00.000Z";
  const auto a = write_sheet("early.json", early), b = write_sheet("late.json", late);
  for (const auto& order : {std::vector{a, b}, std::vector{b, a}}) {
    const Answers answers = collect(order, key_);
    ASSERT_EQ(answers.sheets.size(), 1u);
    EXPECT_EQ(answers.sheets[0].file, b);
    ASSERT_EQ(answers.remarks.size(), 1u);
    EXPECT_THAT(answers.remarks[0], HasSubstr("of one listener"));
  }
}

TEST_F(AnswerFiles, OfOneNameAreCountedAndPointedOut) {
  json one = sheet("aa"), other = sheet("bb");
  one["name"] = other["name"] = "alto";
  const Answers answers = collect({write_sheet("1.json", one), write_sheet("2.json", other)}, key_);
  EXPECT_EQ(answers.sheets.size(), 2u);
  ASSERT_EQ(answers.remarks.size(), 1u);
  EXPECT_THAT(answers.remarks[0], HasSubstr("'alto' stands in 2 files"));
}

TEST_F(AnswerFiles, NeedTheKeyAsItWasWritten) {
  const auto file = folder_.path() / "listening.key.json";
  key_.models[0].name = "Ä \"quoted\" <b>";
  write_key(file, key_);
  const Key read = read_key(file);
  EXPECT_EQ(read.models[0].name, key_.models[0].name);
  EXPECT_EQ(read.comparisons, key_.comparisons);
  EXPECT_EQ(read.pieces.size(), key_.pieces.size());
  const std::string whole = testing::slurp(file);
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("{}"), sheet().dump()}) {
    write(file, text);
    try {
      read_key(file);
      ADD_FAILURE() << text.substr(0, 40);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(file.string()));
    }
  }
  json without = json::parse(whole);
  without["pieces"].erase(without["pieces"].begin());
  write(file, without.dump());
  EXPECT_THROW(read_key(file), Error);
}

}  // namespace
}  // namespace etude::blind
