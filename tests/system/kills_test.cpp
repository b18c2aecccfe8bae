// kill -9 at random moments: of one rank, of all, of mpirun, of everything. `script/chaos` runs the same for longer.
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include <gmock/gmock.h>

#include "tests/system/processes.h"

namespace etude::testing {
namespace {

constexpr int kResumeMe = 75;
constexpr int kKilled = 128 + SIGKILL;
constexpr int kSteps = 120;

unsigned number_from(const char* name, unsigned otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr && *given != '\0' ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : otherwise;
}

class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {}

  int ranks() { return std::vector{1, 2, 4}[below(3)]; }
  std::chrono::milliseconds moment(int longest) { return std::chrono::milliseconds(below(longest)); }

  /// Kills somebody, and says who it was.
  std::string strike(const Background& launcher, const std::string& word) {
    const auto processes = etude_processes(word);
    if (processes.empty()) return "nobody";
    switch (below(processes.front().rank < 0 ? 1 : 4)) {
      case 0: {
        const Process& victim = processes[below(processes.size())];
        kill(victim.pid, SIGKILL);
        return "rank " + std::to_string(std::max(0, victim.rank));
      }
      case 1:
        for (const Process& process : processes) kill(process.pid, SIGKILL);
        return "all ranks";
      case 2:
        launcher.signal_first(SIGKILL);
        return "mpirun";
      default:
        launcher.signal_first(SIGKILL);
        for (const Process& process : processes) kill(process.pid, SIGKILL);
        return "everything";
    }
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
  std::mt19937 random_;
};

TEST(Kills, AtRandomMomentsCostNothingButTheStepsSinceTheLastCheckpoint) {
  ETUDE_NEEDS_MPIRUN();
  const unsigned tries = number_from("ETUDE_CHAOS_TRIES", 12),
                 seed = number_from("ETUDE_CHAOS_SEED", std::random_device{}());
  std::cout << "ETUDE_CHAOS_SEED=" << seed << " repeats this" << std::endl;
  SCOPED_TRACE("ETUDE_CHAOS_SEED=" + std::to_string(seed));
  Chaos chaos(seed);
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", kSteps)).exit_code, 0);
  const auto undisturbed = metrics_with(shop.run("undisturbed"), "loss");

  // A checkpoint every other step: about half of the moments are within the writing of one.
  const std::string command = shop.train("killed", kSteps, "--set checkpoint.every=2 --resume");
  const std::string experiment = shop.path() / "killed.yaml";
  const auto expect_the_undisturbed_bits = [&] {
    EXPECT_TRUE(shop.weights("killed") == shop.weights("undisturbed"));
    const auto rows = metrics_with(shop.run("killed"), "loss");
    ASSERT_EQ(rows.size(), undisturbed.size()) << "steps missing from or doubled in metrics.jsonl";
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(rows[i]["loss"], undisturbed[i]["loss"]) << "step " << i + 1;
    std::filesystem::remove_all(shop.run("killed"));
  };
  std::map<std::string, int> struck;
  std::int64_t furthest = 0;
  unsigned runs = 0;
  for (unsigned i = 0; i < tries; ++i) {
    SCOPED_TRACE("try " + std::to_string(i));
    const int ranks = chaos.ranks();
    const std::string said = shop.path() / "said";
    Background run(ranks == 1 ? etude_program() + " " + command : mpirun(ranks, command), said);
    // Now and then while it starts; mostly when it has come further than before.
    if (i % 5 != 4) {
      ASSERT_TRUE(eventually([&] { return last_step(shop.run("killed")) > furthest || !run.running(); }))
          << slurp(said);
    }
    std::this_thread::sleep_for(chaos.moment(i % 5 == 4 ? 2000 : 400));
    const std::string whom = run.running() ? chaos.strike(run, experiment) : "nobody";
    ++struck[whom.starts_with("rank") ? "one rank" : whom];
    ASSERT_TRUE(eventually([&] { return !run.running(); })) << "survivors of " << whom << " do not end";
    const int code = run.wait();
    EXPECT_TRUE(eventually([&] { return etude_processes(experiment).empty(); })) << whom << ": a process is left";
    std::cout << "try " << i << ": " << ranks << " ranks, step " << last_step(shop.run("killed")) << ", killed " << whom
              << ", exit code " << code << std::endl;
    if (code == 0) {  // it was done before it could be killed
      expect_the_undisturbed_bits();
      furthest = 0;
      ++runs;
      continue;
    }
    EXPECT_THAT(code, ::testing::AnyOf(kKilled, kResumeMe)) << whom << "\n" << slurp(said);
    furthest = std::max(furthest, last_step(shop.run("killed")));
  }
  const ShellResult last = etude_on(chaos.ranks(), command);
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  expect_the_undisturbed_bits();
  for (const auto& [whom, times] : struck) std::cout << "killed " << whom << ": " << times << " times\n";
  std::cout << runs + 1 << " runs came to the undisturbed end" << std::endl;
}

}  // namespace
}  // namespace etude::testing
