// Models of two architectures, trained, measured and compared by the program itself; Python reads what it says.
#include <fstream>
#include <regex>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kMisuse = 2, kFailure = 1;

/// Three measured runs: two seeds of one architecture, and another.
class Compared : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shop_ = new Workshop;
    const auto run = [](const std::string& name, const std::string& more) {
      ASSERT_EQ(etude(shop_->train(name, 20, "--set data.transpose.semitones=[0,0] " + more)).exit_code, 0);
      ASSERT_EQ(etude("evaluate " + shop_->run(name).string() + " --split test").exit_code, 0);
    };
    run("one", "--set seed=1");
    run("two", "--set seed=2");
    run("other", "--set seed=1 --set model.kind=transformer_xl");
  }
  static void TearDownTestSuite() {
    delete shop_;
    shop_ = nullptr;
  }
  static std::string runs() { return shop_->path().string(); }
  static std::string file(const std::string& name) { return (shop_->path() / name).string(); }
  static Json evaluation(const std::string& name) {
    return Json::parse(slurp(shop_->run(name) / "evaluation.json"))["test"];
  }
  static Workshop* shop_;
};
Workshop* Compared::shop_ = nullptr;

TEST_F(Compared, ByNumbersThatPythonFindsInTheEvaluations) {
  if (!oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  const ShellResult said = etude("report " + runs() + " --format json");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  const Json report = Json::parse(said.output);
  ASSERT_EQ(report["groups"].size(), 2U);
  ASSERT_EQ(report["comparisons"].size(), 1U);

  const Json theirs = Json::parse(run_python(R"(
import json, sys
losses = []
for run in sys.argv[1:]:
    pieces = json.load(open(run + "/evaluation.json"))["test"]["pieces"]
    losses.append(sum(p["nll"] for p in pieces) / sum(p["notes"] for p in pieces))
print(json.dumps([(losses[0] + losses[1]) / 2, losses[2]]))
)",
                                             {file("one"), file("two"), file("other")}));
  for (const Json& group : report["groups"]) {
    const bool pair = group["runs"].size() == 2;
    EXPECT_NEAR(group["mean"].get<double>(), theirs[pair ? 0 : 1].get<double>(), 1e-9) << group["name"];
  }
  const Json& between = report["comparisons"][0];
  EXPECT_NEAR(std::abs(between["difference"].get<double>()),
              std::abs(theirs[0].get<double>() - theirs[1].get<double>()), 1e-9);
  EXPECT_LT(between["low"], between["difference"]);
  EXPECT_GT(between["high"], between["difference"]);

  ASSERT_EQ(etude("report " + runs() + " --output " + file("runs.csv")).exit_code, 0);
  const Json rows =
      Json::parse(run_python("import csv, json, sys\n"
                             "print(json.dumps(list(csv.DictReader(open(sys.argv[1])))))",
                             {file("runs.csv")}));
  ASSERT_EQ(rows.size(), 3U);
  for (const Json& row : rows) {
    const std::string loss = row["loss_per_note"], name = row["run"];
    EXPECT_NEAR(std::stod(loss), evaluation(name)["loss_per_note"].get<double>(), 1e-6) << name;
  }
}

TEST_F(Compared, WithoutAWinnerWhereTheSeedAloneDiffers) {
  const ShellResult said = etude("report " + file("one") + " " + file("two"));
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, HasSubstr("differ by the seed alone"));
  EXPECT_THAT(said.output, Not(HasSubstr("Lowest:")));
  EXPECT_THAT(said.output, Not(HasSubstr("Comparisons")));
}

TEST_F(Compared, OnAPageThatFetchesNothing) {
  const std::string page = file("report.html"), figures = file("figures");
  ASSERT_EQ(etude("report " + runs() + " --output " + page + " --figures " + figures).exit_code, 0);
  const std::string text = slurp(page);
  EXPECT_THAT(text, HasSubstr("transformer_xl"));
  const std::regex foreign("(src|href)=\"?(https?:)?//|@import|url\\((?!#|\"?data:)");
  EXPECT_FALSE(std::regex_search(text, foreign));
  EXPECT_TRUE(fs::exists(fs::path(figures) / "comparison.svg"));
}

TEST_F(Compared, UnlessTheyWereMeasuredOnOtherMusic) {
  const std::string pack = file("other-pack"), run = file("stranger");
  ASSERT_EQ(etude("pack --input " ETUDE_SOURCE_DIR "/data/corpus --test 0.3 --output " + pack).exit_code, 0);
  ASSERT_EQ(etude(shop_->train("stranger", 20, "--set data.pack=" + pack)).exit_code, 0);
  ASSERT_EQ(etude("evaluate " + run + " --split test").exit_code, 0);
  const ShellResult said = etude("report " + file("one") + " " + run + " --format json");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  const Json report = Json::parse(said.output);
  EXPECT_TRUE(report["comparisons"].empty());
  EXPECT_EQ(report["refused"].size(), 1U);
  fs::remove_all(run);
}

TEST_F(Compared, OrSaysWhatIsWrongAndWritesNothing) {
  const auto refuses = [](const std::string& arguments, int code, const std::string& words) {
    const ShellResult said = etude("report " + arguments);
    EXPECT_EQ(said.exit_code, code) << arguments;
    EXPECT_THAT(said.errors, HasSubstr(words)) << arguments;
    EXPECT_EQ(said.output, "") << arguments;
  };
  refuses(file("nothing"), kMisuse, "nothing");
  refuses(shop_->pack().string(), kMisuse, "no run folder");
  refuses(runs() + " --format html", kMisuse, "--output");
  refuses(runs() + " --metric beauty", kMisuse, "loss_per_note");
  refuses(runs() + " --output " + file("no/such/folder.html"), kFailure, "folder.html");
}

}  // namespace
}  // namespace etude::testing
