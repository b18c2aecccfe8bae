#include "launch/status.h"

#include <fstream>

#include <gmock/gmock.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "launch/job.h"
#include "tests/support/oracle.h"

namespace etude::launch {
namespace {

using ::testing::HasSubstr;

void write(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

TEST(Progress, IsReadOffTheEndOfAGrowingFile) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  EXPECT_EQ(read_progress(file).step, 0);
  // 10 steps in 5 s, so the 60 that are left take 30 s. The last line is being written just now.
  write(file, R"({"step": 30, "steps": 100, "loss": 3.5, "tokens_per_second": 900, "seconds": 20})"
              "\n"
              R"({"step": 35, "eval_loss": 3.25})"
              "\n"
              R"({"step": 40, "steps": 100, "loss": null, "tokens_per_second": 1000.5, "seconds": 25})"
              "\n"
              R"({"step": 50, "steps": 100, "lo)");
  const Progress progress = read_progress(file);
  EXPECT_EQ(progress.step, 40);
  EXPECT_EQ(progress.steps, 100);
  EXPECT_EQ(progress.loss, std::nullopt);
  EXPECT_EQ(progress.eval_loss, 3.25);
  EXPECT_EQ(progress.tokens_per_second, 1000.5);
  EXPECT_EQ(progress.seconds_left, 30);
}

TEST(Progress, OfALongFileIsThatOfItsLastLines) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  std::ofstream stream(file);
  for (int step = 1; step <= 5000; ++step) {
    stream << R"({"step": )" << step << R"(, "steps": 6000, "loss": 1.5, "tokens_per_second": 10, "seconds": )" << step
           << "}\n";
  }
  stream.close();
  EXPECT_EQ(read_progress(file).step, 5000);
  EXPECT_EQ(read_progress(file).seconds_left, 1000);
}

TEST(UsageOf, CountsEveryNodeOfEveryAttempt) {
  Cluster cluster;
  cluster.gpus_per_node = 8;
  cluster.price.per_node_hour = 20;
  Attempt first, second;
  first.ended = 1800;  // half an hour on 4 nodes
  first.nodes = 4;
  second.began = 4000;
  second.ended = 7600;  // an hour on 3
  second.nodes = 3;
  const Usage usage = usage_of({first, second}, cluster, 64);
  EXPECT_EQ(usage.hours, 1.5);
  EXPECT_EQ(usage.node_hours, 5);
  EXPECT_EQ(usage.core_hours, 320);
  EXPECT_EQ(usage.gpu_hours, 40);
  EXPECT_EQ(usage.cost, 100);
}

TEST(Status, ReadsBackAsItWasWritten) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(load_status(folder.path()), std::nullopt);
  Status status;
  status.state = State::kStopping;
  status.words = "\"quoted\" 'and' $(more)\n\xff";
  status.attempts.resize(2);
  status.attempts[1] = {12.25, 13.5, 4, 32, "4711", 10, 20, true, Cause::kKilled, 137};
  status.progress = {20, 100, 1.5, std::nullopt, 10, -1};
  status.currency = "EUR";
  save(status, folder.path());
  const Status read = *load_status(folder.path());
  EXPECT_EQ(to_json(read), to_json(status));
  EXPECT_EQ(read.attempts[1].cause, Cause::kKilled);
  EXPECT_EQ(read.attempts[1].ended, 13.5);
  EXPECT_EQ(read.state, State::kStopping);
}

TEST(Status, ThatIsDamagedIsNotTakenForNone) {
  const testing::TemporaryFolder folder;
  Status status;
  status.attempts.resize(1);
  save(status, folder.path());
  const std::string whole = files::read(folder.path() / "status.json");
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    write(folder.path() / "status.json", whole.substr(0, length));
    EXPECT_THROW(load_status(folder.path()), Error) << length;
  }
}

TEST(Job, ReadsBackAsItWasWrittenAndNamesWhatIsDamaged) {
  const testing::TemporaryFolder folder;
  Job job;
  job.name = "d'émo \"1\"";
  job.token = "etude-demo-00112233";
  job.folder = folder.path();
  job.run = "/runs/with space/$HOME";
  job.limits = {1.5, 20};
  save(job);
  const Job read = load_job(folder.path());
  EXPECT_EQ(read.name, job.name);
  EXPECT_EQ(read.run, job.run);
  EXPECT_EQ(read.limits.hours, 1.5);
  EXPECT_EQ(read.limits.cost, 20);
  write(folder.path() / "job.json", "{\"name\": \"x\"}");
  try {
    load_job(folder.path());
    ADD_FAILURE() << "a job without an id was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("job.json"));
  }
  EXPECT_THROW(load_job(folder.path() / "nothing"), UsageError);
}

}  // namespace
}  // namespace etude::launch
