#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <gmock/gmock.h>

#include "report/watch/canvas.h"
#include "report/watch/course.h"
#include "report/watch/follower.h"
#include "report/watch/frame.h"
#include "report/watch/plot.h"
#include "tests/support/oracle.h"

namespace etude::report::watch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Canvas, CutsOffWhatDoesNotFit) {
  Canvas canvas(4, 1);
  canvas.put(0, 1, U"夜想曲");
  EXPECT_EQ(as_text(canvas, false, false), " 夜\n");
  canvas.put(1, 0, U"below");
  canvas.put(0, 9, U"beside");
  EXPECT_EQ(as_text(canvas, false, false), " 夜\n");
}

TEST(Canvas, IsSentOnlyWhereItDiffers) {
  Canvas before(40, 3), after(40, 3);
  before.put(1, 0, U"loss 2.4130");
  after.put(1, 0, U"loss 2.4125");
  EXPECT_EQ(difference(before, after, true), "\x1b[2;10H25");
  EXPECT_EQ(difference(after, after, true), "");
  Canvas coloured = after;
  coloured.put(1, 0, U"loss", Style::kBad);
  EXPECT_EQ(difference(after, coloured, true), "\x1b[2;1H\x1b[0;1;31mloss\x1b[0m");
}

/// A file that grows, is cut and goes on at random, looked at now and then: what is known is always what stands there.
TEST(Follower, KnowsTheLinesThatStandThereWhateverHappens) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  Follower follower(file);
  std::vector<std::string> known;
  std::mt19937 random(1);
  std::vector<std::string> whole;  // lines of the file
  int written = 0;
  for (int round = 0; round < 300; ++round) {
    for (int actions = static_cast<int>(random() % 3); actions >= 0; --actions) {
      const unsigned action = random() % 8;
      if (action == 0) {
        whole.resize(random() % (whole.size() + 1));
        std::ofstream cut(file, std::ios::trunc);
        for (const std::string& line : whole) cut << line << "\n";
      } else if (action == 1 && round % 50 == 0) {
        std::filesystem::remove(file);
        whole.clear();
      } else {
        whole.push_back("line " + std::to_string(written++));
        std::ofstream(file, std::ios::app) << whole.back() << "\n";
      }
    }
    const bool half = random() % 4 == 0;
    if (half) std::ofstream(file, std::ios::app) << "half";
    const News news = follower.poll();
    ASSERT_LE(news.dropped, known.size());
    known.resize(known.size() - news.dropped);
    known.insert(known.end(), news.lines.begin(), news.lines.end());
    ASSERT_EQ(known, whole) << "in round " << round;
    if (half) {
      std::ofstream(file, std::ios::app) << "\n";
      whole.emplace_back("half");
    }
  }
}

TEST(Follower, ReadsNothingTwice) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  Follower follower(file);
  EXPECT_THAT(follower.poll().lines, IsEmpty());
  EXPECT_FALSE(follower.exists());
  std::ofstream(file) << "one\ntwo\n";
  EXPECT_THAT(follower.poll().lines, ElementsAre("one", "two"));
  // What follows a cut that keeps a line is only what is new behind it.
  std::filesystem::resize_file(file, 4);
  std::ofstream(file, std::ios::app) << "TWO\nthree\n";
  const News news = follower.poll();
  EXPECT_EQ(news.dropped, 1U);
  EXPECT_THAT(news.lines, ElementsAre("TWO", "three"));
}

TEST(Course, GoesBackWithTheLinesThatAreTakenBack) {
  Course course;
  course.add(R"({"step":10,"steps":100,"loss":3.5,"tokens":1000,"seconds":5,"lr":0.1})");
  course.add(R"({"step":20,"steps":100,"loss":null,"nonfinite":{"loss":"nan"},"tokens":2000,"seconds":10})");
  course.add(R"({"step":20,"eval_loss":3.25})");
  course.add("no JSON at all");
  course.add(R"({"step":"many","loss":[]})");
  EXPECT_EQ(course.history().step, 20);
  EXPECT_EQ(course.history().non_finite, 1);
  EXPECT_EQ(course.history().evaluation.tokens.back(), 2000);
  EXPECT_DOUBLE_EQ(course.seconds_left(), 40);
  course.take_back(4);
  EXPECT_EQ(course.history().step, 10);
  EXPECT_EQ(course.history().non_finite, 0);
  EXPECT_EQ(course.history().evaluation.size(), 0U);
  EXPECT_EQ(course.latest().loss, 3.5);
  course.take_back(7);
  EXPECT_EQ(course.history().train.size(), 0U);
}

TEST(Plot, PutsWhatIsLowestAtTheBottomAndLeavesOutWhatIsNoNumber) {
  Canvas canvas(30, 10);
  const Curve curve{{0, 1, 2, 3}, {4, std::nan(""), 1, 2}, false};
  plot(canvas, {0, 0, 10, 30}, {curve}, {.unicode = false, .logarithmic = false, .x_label = [](double x) {
                                           return std::to_string(static_cast<int>(x));
                                         }});
  const std::string text = as_text(canvas, false, false);
  EXPECT_EQ(canvas.at(0, 2).character, U'4');
  EXPECT_EQ(canvas.at(7, 2).character, U'1');
  EXPECT_EQ(canvas.at(0, 4).character, U'\'') << text;      // 4 in the upper left
  EXPECT_EQ(canvas.at(7, 4 + 17).character, U'.') << text;  // 1 at two thirds of 26 columns
  EXPECT_EQ(canvas.at(9, 4).character, U'0') << text;
  EXPECT_EQ(canvas.at(9, 29).character, U'3') << text;
}

TEST(Plot, OfNothingIsNothing) {
  Canvas canvas(30, 10);
  plot(canvas, {0, 0, 10, 30}, {{{}, {}, false}, {{1}, {std::nan("")}, true}}, {});
  EXPECT_EQ(as_text(canvas, false, false), "");
}

TEST(Sparkline, FallsFromHighToLow) {
  EXPECT_EQ(sparkline({1, 2, 3, 4}, {4, 3, 2, 1}, 4, true), U"█▆▃▁");
  EXPECT_EQ(sparkline({1, 2}, {2, 1}, 4, false), U"^_");
}

/// Whatever the window and the run, nothing is drawn beside the canvas and nothing fails.
TEST(Frame, FitsAnyWindow) {
  const testing::TemporaryFolder folder;
  std::vector<RunView> runs;
  Neighbourhood neighbourhood;
  for (const std::string name :
       {"empty", "短い", "a-name-that-is-much-longer-than-the-window-in-which-it-is-to-be-shown"}) {
    std::filesystem::create_directories(folder.path() / name);
    std::ofstream(folder.path() / name / "config.yaml") << "evaluate: {every: 10}\n";
    std::ofstream metrics(folder.path() / name / "metrics.jsonl");
    for (int step = 10; name != "empty" && step <= 200; step += 10) {
      metrics << R"({"step":)" << step << R"(,"steps":1000000000,"loss":)" << 1e9 / step << "}\n"
              << R"({"step":)" << step << R"(,"eval_loss":)" << 2e9 / step << "}\n";
    }
    metrics.close();
    runs.emplace_back(folder.path() / name);
    runs.back().poll(0, neighbourhood);
  }
  for (int columns = 1; columns < 140; columns += columns < 20 ? 1 : 7) {
    for (int rows = 1; rows < 60; rows += rows < 20 ? 1 : 7) {
      for (const bool alone : {false, true}) {
        for (std::size_t chosen = 0; chosen < runs.size(); ++chosen) {
          Canvas canvas(columns, rows);
          draw(canvas, runs, {.alone = alone, .chosen = chosen, .unicode = rows % 2 == 0});
          draw(canvas, {}, {});
        }
      }
    }
  }
}

}  // namespace
}  // namespace etude::report::watch
