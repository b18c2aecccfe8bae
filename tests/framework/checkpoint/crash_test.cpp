// What a checkpoint is for: nothing that happens to the machine while one is written may cost those there are.
#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/checkpoint/store.h"
#include "tests/framework/checkpoint/example.h"

namespace etude::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using ::testing::HasSubstr;
using testing::snapshot_at;

constexpr CheckpointOptions kOptions{.every = 1, .keep_last = 1, .keep_best = 1};

/// Saves checkpoint after checkpoint until it is killed.
[[noreturn]] void save_without_end(const fs::path& folder, std::int64_t from) {
  Store store(folder, kOptions, false);
  for (std::int64_t step = from;; ++step) store.save(snapshot_at(step, -static_cast<double>(step), 5000));
}

TEST(KillNine, InTheMiddleOfSavingLeavesTheLastCheckpointUsable) {
  const testing::TemporaryFolder root;
  const fs::path folder = root.path() / "checkpoints";
  Store store(folder, kOptions, false);
  store.save(snapshot_at(1, -1.0));
  std::mt19937 random(7);
  std::int64_t step = 1;
  for (int round = 0; round < 30; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) save_without_end(folder, step + 1);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);

    // Whoever reads now, without any repair, finds a whole checkpoint under `last` and under `best`.
    for (const char* link : {"last", "best"}) {
      EXPECT_EQ(error_of([&] { verify(folder / link); }), "no error") << link << " after round " << round;
    }
    std::string told;
    const auto newest = store.load_newest([&](const std::string& why) { told += why; });
    EXPECT_EQ(told, "");
    ASSERT_TRUE(newest.has_value());
    EXPECT_GE(newest->step, step);  // nothing that was there before is lost
    EXPECT_EQ(newest->model[0].second[0].item<float>(), static_cast<float>(newest->step));
    step = newest->step;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_symlink()) continue;
      EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path();
    }
  }
  EXPECT_GT(step, 1) << "no child ever came to the end of one checkpoint";
}

/// While this lives no file may grow beyond `bytes`, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(FullDisk, IsAnErrorAndCostsNothingThatWasThere) {
  const testing::TemporaryFolder root;
  const fs::path folder = root.path() / "checkpoints";
  Store store(folder, kOptions, false);
  store.save(snapshot_at(1, 1.0, 100'000));
  // Within the header, within the weights, at the very last bytes of the weights, in the small files after them.
  const auto weights = fs::file_size(folder / "last" / "model.safetensors");
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{50}, rlim_t{10'000}, static_cast<rlim_t>(weights - 1)}) {
    SCOPED_TRACE(bytes);
    std::string said;
    {
      const FullDisk full(bytes);
      said = error_of([&] { store.save(snapshot_at(2, 0.5, 100'000)); });
    }
    EXPECT_THAT(said, HasSubstr("checkpoints/"));
    EXPECT_THAT(said, ::testing::Not(HasSubstr("no error")));
    EXPECT_FALSE(fs::exists(store.folder_of(2)));
    for (const char* link : {"last", "best"}) {
      EXPECT_EQ(error_of([&] { verify(folder / link); }), "no error");
      EXPECT_EQ(read_manifest(folder / link).step, 1);
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 3) << "half-written files use up the full disk";
  }
  store.save(snapshot_at(2, 0.5, 100'000));  // and when there is room again, all is well
  EXPECT_EQ(read_manifest(folder / "last").step, 2);
}

}  // namespace
}  // namespace etude::checkpoint
