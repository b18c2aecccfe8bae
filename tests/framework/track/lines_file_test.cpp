#include "framework/track/lines_file.h"

#include <cmath>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/oracle.h"

namespace etude::track {
namespace {

using etude::testing::slurp;
using etude::testing::TemporaryFolder;

std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::string read_all(int pipe) {
  std::string text(1 << 20, '\0');
  const ssize_t size = ::read(pipe, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

Message step(std::int64_t number, double loss = 1) { return {Message::Kind::kStep, {number, 5.5, {{"loss", loss}}}}; }

TEST(LinesFile, AppendsMessagesAsDocumented) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "all.jsonl") << "{}\n";
  LinesFile file(folder.path() / "all.jsonl", "id7");
  file.begin({.name = "small",
              .folder = "/r",
              .metrics = {},
              .config = "",
              .settings = {{"train.lr", "0.1"}},
              .circumstances = {{"host", "here"}},
              .steps = 9,
              .done = 2});
  file.tell({step(3, std::nan(""))});
  file.end(log::State::kStopped, 6.5);
  const auto lines = lines_of(slurp(folder.path() / "all.jsonl"));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1]["event"], "begin");
  EXPECT_EQ(lines[1]["step"], 2);
  EXPECT_EQ(lines[1]["values"]["config"]["train.lr"], "0.1");
  EXPECT_EQ(lines[2], nlohmann::json::parse(R"({"run": "small", "id": "id7", "event": "step", "step": 3, "time": 5.5,
      "values": {"loss": null}, "nonfinite": {"values.loss": "nan"}})"));
  EXPECT_EQ(lines[3], nlohmann::json::parse(R"({"run": "small", "id": "id7", "event": "end", "step": 3, "time": 6.5,
      "values": {"state": "stopped"}})"));
}

TEST(LinesFile, OfAPipeThatNobodyReadsIsAwayAndComesBack) {
  ::signal(SIGPIPE, SIG_IGN);  // Courier's thread holds it back
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  LinesFile file(pipe, "id");
  EXPECT_THROW(file.begin({}), Away);

  int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  file.begin({});
  file.tell({step(1)});
  EXPECT_EQ(lines_of(read_all(reader)).size(), 2U);
  ::close(reader);
  EXPECT_THROW(file.tell({step(2)}), Away);
  reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  file.tell({step(2)});
  EXPECT_EQ(lines_of(read_all(reader)).at(0)["step"], 2);
  ::close(reader);
}

TEST(LinesFile, OfAPipeThatIsFullLosesAndRepeatsNothing) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  LinesFile file(pipe, "id");
  file.begin({});
  file.interrupt();  // it waits for nobody
  std::string seen;
  std::int64_t next = 1;
  for (int round = 0; round < 3; ++round) {
    // Longer than what a pipe takes all or nothing of, so that a line is cut where it is full.
    const auto long_step = [&] {
      Message message = step(next);
      for (int i = 0; i < 400; ++i) message.figures.values["a figure of number " + std::to_string(i)] = i;
      return message;
    };
    try {
      for (;; ++next) file.tell({long_step()});
    } catch (const Away&) {
    }
    seen += read_all(reader);
  }
  file.end(log::State::kFinished, 0);
  seen += read_all(reader);
  ::close(reader);
  std::vector<std::int64_t> steps, expected;
  for (const auto& line : lines_of(seen)) {
    if (line["event"] == "step") steps.push_back(line["step"]);
  }
  for (std::int64_t i = 1; i < next; ++i) expected.push_back(i);
  EXPECT_EQ(steps, expected);
  EXPECT_GT(next, 12);
}

}  // namespace
}  // namespace etude::track
