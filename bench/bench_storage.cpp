// How many trials of 4 parameters and 5 reports a storage takes a second, told of one by one as a controller does it: a
// trial with its parameters, each report, the end. WORKERS processes write into one study at once. With --open it makes
// a study of 100,000 such trials and measures how long it takes to open. One JSON line.
//   bench_storage FOLDER [--format sqlite|journal] [--workers 1] [--trials 400] [--open]
#include <filesystem>

#include <CLI/CLI.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/clocks.h"
#include "sweep/storage/storage.h"

namespace {

using namespace etude;
using namespace etude::sweep;

constexpr int kParameters = 4, kReports = 5;

double since_1970() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Trial begun() {
  static const auto kRange = std::make_shared<const Distribution>(Distribution::real(0, 1));
  Trial trial;
  trial.began = since_1970();
  for (int i = 0; i < kParameters; ++i) trial.set_parameter({fmt::format("x{}", i), 0.1 * (i + 1), kRange});
  return trial;
}

void one_trial(Storage& storage, std::int64_t study) {
  std::vector<Change> changes{NewTrial{begun()}};
  storage.apply(study, changes);
  const std::int64_t id = std::get<NewTrial>(changes[0]).trial.id;
  for (int step = 0; step < kReports; ++step) {
    changes = {NewReport{id, {step, 0.3 * step}}};
    storage.apply(study, changes);
  }
  changes = {StateChange{id, TrialState::kComplete, {1.5}, {}, since_1970()}};
  storage.apply(study, changes);
}

void measure_writing(const std::string& url, const std::string& format, int workers, int trials) {
  const std::int64_t study = open_storage(url, true)->create("bench", {Direction::kMinimize}).id;
  const bench::Seconds before = bench::now();
  for (int worker = 0; worker < workers; ++worker) {
    if (fork() != 0) continue;
    const auto storage = open_storage(url, false);
    for (int i = worker; i < trials; i += workers) one_trial(*storage, study);
    _exit(0);
  }
  for (int status = 0; wait(&status) > 0;) {
    if (status != 0) throw std::runtime_error("a worker failed");
  }
  const bench::Seconds took = bench::now() - before;
  rusage children{};
  getrusage(RUSAGE_CHILDREN, &children);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  bench::print({{"what", "storage"},
                {"who", "etude"},
                {"format", format},
                {"workers", workers},
                {"figure", trials / took.wall},
                {"cpu_figure", trials / (seconds(children.ru_utime) + seconds(children.ru_stime))},
                {"unit", "trials/s"}});
}

void measure_opening(const std::string& url, const std::string& format) {
  constexpr int kTrials = 100'000, kAtOnce = 1000;
  {
    const auto storage = open_storage(url, true);
    const std::int64_t study = storage->create("bench", {Direction::kMinimize}).id;
    Trial trial = begun();
    trial.state = TrialState::kComplete;
    trial.values = {1.5};
    trial.ended = trial.began;
    for (int step = 0; step < kReports; ++step) trial.set_report({step, 0.3 * step});
    for (int i = 0; i < kTrials; i += kAtOnce) {
      std::vector<Change> changes(kAtOnce, NewTrial{trial});
      storage->apply(study, changes);
    }
  }
  const bench::Seconds before = bench::now();
  const auto storage = open_storage(url, false);
  const auto trials = storage->load(storage->find("bench").value().id);
  const bench::Seconds took = bench::now() - before;
  if (trials.size() != kTrials) throw std::runtime_error("trials are missing");
  bench::print({{"what", "storage opens"},
                {"who", "etude"},
                {"format", format},
                {"trials", kTrials},
                {"figure", took.wall},
                {"cpu_figure", took.cpu},
                {"unit", "s"}});
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder;
  std::string format = "sqlite";
  int workers = 1, trials = 400;
  bool open = false;
  CLI::App app{"How fast studies are written and opened"};
  app.add_option("folder", folder)->required();
  app.add_option("--format", format)->check(CLI::IsMember({"sqlite", "journal"}));
  app.add_option("--workers", workers);
  app.add_option("--trials", trials);
  app.add_flag("--open", open);
  CLI11_PARSE(app, argc, argv);
  const std::filesystem::path file = folder / fmt::format("etude-{}-{}-{}", format, workers, open ? "open" : "write");
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + part);
  const std::string url = fmt::format("{}:///{}", format, file.string());
  if (open) {
    measure_opening(url, format);
  } else {
    measure_writing(url, format, workers, trials);
  }
}
