// Reports over HTTP: so many trials at once, each reporting as fast as it is answered, to a controller with its study
// on disk.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/clocks.h"
#include "launch/status.h"
#include "sweep/client.h"
#include "sweep/controller.h"
#include "sweep/server/server.h"

namespace {

using namespace etude;
using Clock = std::chrono::steady_clock;

constexpr const char* kSweep = R"(
name: bench
experiment: e.yaml
metric: {name: eval_loss, goal: minimize}
parameters:
  model.layers: {type: int, low: 2, high: 12}
  train.lr: {type: float, low: 1.0e-5, high: 1.0e-2, log: true}
  model.width: {values: [128, 256, 512]}
  model.dropout: {type: float, low: 0.0, high: 0.5}
sampler: {kind: random}
)";

/// One trial's milliseconds from question to answer, until the time is over.
std::vector<double> report_until(Clock::time_point end, const std::string& url, const std::string& word, double pause) {
  sweep::Client client({url, "", "", 5, 30});
  const auto order = client.ask({word, "bench", 1, 1, 0}, word).value();
  std::vector<double> milliseconds;
  for (std::int64_t step = 1; Clock::now() < end; ++step) {
    const auto asked = Clock::now();
    client.report(order.number, {{step, {{"eval_loss", 1.0 / static_cast<double>(step)}}}});
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
    if (pause > 0) std::this_thread::sleep_until(asked + std::chrono::duration<double>(pause));
  }
  client.tell(order.number, {sweep::TrialState::kComplete, {{"eval_loss", 0.5}}, ""});
  return milliseconds;
}

double quantile(std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Reports of many trials to one controller over HTTP, one JSON line");
  std::int64_t trials = 64;
  double seconds = 10, rate = 0;
  std::string storage = "sqlite";
  app.add_option("--trials", trials, "Trials at once")->check(CLI::Range(1, 300));
  app.add_option("--seconds", seconds, "For so long");
  app.add_option("--rate", rate, "Reports a second of all together; 0: as fast as they are answered");
  app.add_option("--storage", storage, "Where the study is")->check(CLI::IsMember({"sqlite", "journal"}));
  CLI11_PARSE(app, argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "etude-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  int result = 0;
  try {
    const auto file = sweep::load_sweep_text(kSweep, "bench.yaml");
    sweep::Controller controller(*file, sweep::open_storage(fmt::format("{}:///{}/study", storage, folder), true),
                                 launch::now);
    sweep::ServerOptions options;
    options.requests_per_second = 0;
    const sweep::Server server(controller, options);
    const auto began = bench::now();
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    std::vector<std::vector<double>> each(static_cast<std::size_t>(trials));
    std::vector<std::thread> threads;
    std::atomic<bool> failed = false;
    const double pause = rate > 0 ? static_cast<double>(trials) / rate : 0;
    for (std::size_t i = 0; i < each.size(); ++i) {
      threads.emplace_back([&, i] {
        try {
          each[i] = report_until(end, server.url(), fmt::format("trial {}", i), pause);
        } catch (const std::exception& error) {
          fmt::print(stderr, "bench_sweep_http: {}\n", error.what());
          failed = true;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto spent = bench::now() - began;
    std::vector<double> all;
    for (const auto& one : each) all.insert(all.end(), one.begin(), one.end());
    std::sort(all.begin(), all.end());
    if (failed || all.empty()) throw Error("not every report was answered");
    const double count = static_cast<double>(all.size());
    bench::print({{"what", "sweep reports"},
                  {"who", "etude"},
                  {"storage", storage},
                  {"trials", trials},
                  {"asked", rate},
                  {"figure", count / spent.wall},
                  {"cpu_figure", count / spent.cpu},
                  {"unit", "reports/s"},
                  {"p50_ms", quantile(all, 0.5)},
                  {"p99_ms", quantile(all, 0.99)},
                  {"most_ms", all.back()}});
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_sweep_http: {}\n", error.what());
    result = 1;
  }
  std::filesystem::remove_all(folder);
  return result;
}
