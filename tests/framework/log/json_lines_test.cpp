#include "framework/log/json_lines.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "tests/support/oracle.h"

namespace etude::log {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::slurp;

class JsonLinesTest : public ::testing::Test {
 protected:
  void fill(const std::string& text) { std::ofstream(file_, std::ios::binary) << text; }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "metrics.jsonl";
};

TEST_F(JsonLinesTest, AppendsOneObjectALine) {
  JsonLines(file_).write({{"step", 1}, {"loss", 0.1}, {"note", "two\nlines"}});
  JsonLines(file_).write({{"step", 2}});
  EXPECT_EQ(slurp(file_), "{\"loss\":0.1,\"note\":\"two\\nlines\",\"step\":1}\n{\"step\":2}\n");
}

TEST_F(JsonLinesTest, PythonReadsTheSameBits) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no reference Python (script/setup --test makes it)";
  const std::vector<double> values{0.1,
                                   1.0 / 3,
                                   5e-324,
                                   1.7976931348623157e308,
                                   -2.2250738585072014e-308,
                                   3.0,
                                   static_cast<double>(3.21F),
                                   123456789012345680.0};
  JsonLines lines(file_);
  std::string expected;
  for (const double value : values) {
    lines.write({{"x", value}});
    expected += std::to_string(std::bit_cast<std::uint64_t>(value)) + "\n";
  }
  EXPECT_EQ(testing::run_python("import json, struct, sys\n"
                                "for line in open(sys.argv[1]):\n"
                                "    x = json.loads(line)['x']\n"
                                "    assert isinstance(x, float), line\n"
                                "    print(struct.unpack('<Q', struct.pack('<d', x))[0])\n",
                                {file_}),
            expected);
}

TEST_F(JsonLinesTest, WhatIsNotFiniteIsNullAndNamed) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  JsonLines lines(file_);
  lines.write({{"loss", std::nan("")}, {"norm", kInfinity}, {"families", {{"Pitch", -kInfinity}, {"Bar", 1.5}}}});
  const json read = json::parse(slurp(file_));
  EXPECT_TRUE(read["loss"].is_null());
  EXPECT_TRUE(read["families"]["Pitch"].is_null());
  EXPECT_EQ(read["families"]["Bar"], 1.5);
  EXPECT_EQ(read["nonfinite"], (json{{"loss", "nan"}, {"norm", "inf"}, {"families.Pitch", "-inf"}}));
}

TEST_F(JsonLinesTest, TextThatIsNotUtf8IsStillWritten) {
  JsonLines(file_).write({{"title", "Pr\xE9lude"}});
  EXPECT_TRUE(json::accept(slurp(file_)));
}

TEST_F(JsonLinesTest, ResumingDropsWhatCameAfterTheCheckpoint) {
  fill("{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"eval\":1}\n{\"step\":3}\n{\"event\":\"x\"}\n{\"step\":4}\n");
  JsonLines::truncate_after(file_, 4);
  EXPECT_THAT(slurp(file_), HasSubstr("{\"step\":4}\n"));
  JsonLines::truncate_after(file_, 2);
  EXPECT_EQ(slurp(file_), "{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"eval\":1}\n");
  JsonLines::truncate_after(file_, 0);
  EXPECT_EQ(slurp(file_), "");
  JsonLines::truncate_after(folder_.path() / "none.jsonl", 2);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "none.jsonl"));
}

TEST_F(JsonLinesTest, HalfALineAtTheEndIsMended) {
  const std::string whole = "{\"step\":1}\n{\"step\":2}\n";
  const std::string last = "{\"step\":3,\"loss\":2.5}";
  for (std::size_t length = 0; length <= last.size(); ++length) {
    fill(whole + last.substr(0, length));
    JsonLines::truncate_after(file_, 9);
    EXPECT_EQ(slurp(file_), whole);
    fill(whole + last.substr(0, length));
    JsonLines(file_).write({{"step", 3}});
    EXPECT_EQ(slurp(file_), whole + "{\"step\":3}\n");
  }
  fill("{\"st");
  JsonLines::truncate_after(file_, 9);
  EXPECT_EQ(slurp(file_), "");
}

TEST_F(JsonLinesTest, DamageInTheMiddleIsReportedWithItsLine) {
  fill("{\"step\":1}\nnonsense\n{\"step\":2}\n");
  try {
    JsonLines::truncate_after(file_, 2);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("metrics.jsonl:2: "));
  }
}

TEST_F(JsonLinesTest, AProcessKilledAtAnyTimeLosesAtMostItsLastLine) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    JsonLines lines(file_);
    for (std::int64_t step = 0;; ++step) lines.write({{"step", step}, {"text", std::string(2000, 'x')}});
  }
  while (!std::filesystem::exists(file_) || std::filesystem::file_size(file_) < 100'000) usleep(1000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const auto lines = std::ranges::count(slurp(file_), '\n');
  JsonLines(file_).write({{"step", lines}});
  std::istringstream text(slurp(file_));
  std::string line;
  std::int64_t step = 0;
  for (; std::getline(text, line); ++step) ASSERT_EQ(json::parse(line)["step"], step);
  EXPECT_EQ(step, lines + 1);
}

TEST_F(JsonLinesTest, AFullDiskIsAnErrorThatNamesTheFile) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  std::filesystem::create_symlink("/dev/full", file_);
  try {
    JsonLines(file_).write({{"step", 1}});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("metrics.jsonl"));
  }
}

TEST_F(JsonLinesTest, AMissingFolderIsAnErrorThatNamesTheFile) {
  EXPECT_THROW(JsonLines(folder_.path() / "no" / "metrics.jsonl"), Error);
}

}  // namespace
}  // namespace etude::log
