#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/mpi.h"

namespace etude::testing {

inline std::string etude_program() { return std::string(ETUDE_BINARY_DIR) + "/etude"; }

inline ShellResult etude(const std::string& arguments) { return run_shell(etude_program() + " " + arguments); }

inline ShellResult etude_on(int ranks, const std::string& arguments) {
  return run_mpi(ranks, etude_program() + " " + arguments, 240);
}

/// A small run that uses everything that could depend on ranks: dropout, transposition, accumulation, clipping.
inline std::string small_experiment(const std::filesystem::path& pack, int steps) {
  return "name: small\nseed: 3\n"
         "data: {pack: " + pack.string() + ", sequence_length: 48, transpose: {semitones: [-3, 3]}}\n"
         "model: {kind: gpt2, layers: 2, width: 32, heads: 2, dropout: 0.1}\n"
         "train: {steps: " + std::to_string(steps) +
         ", global_batch: 8, micro_batch: 2, lr: 2.0e-3, warmup: 10, clip: 0.5, log_every: 1, threads: 1, device: cpu}\n"
         "evaluate: {every: 50, batches: 4}\ncheckpoint: {every: 50}\n";
}

/// The built-in corpus, packed, and a folder to work in.
class Workshop {
 public:
  Workshop() {
    const ShellResult packed = etude("pack --input " ETUDE_SOURCE_DIR "/data/corpus --output " + pack().string());
    if (packed.exit_code != 0) throw std::runtime_error("packing the corpus failed:\n" + packed.errors);
  }
  std::filesystem::path path() const { return folder_.path(); }
  std::filesystem::path pack() const { return folder_.path() / "pack"; }
  std::filesystem::path run(const std::string& name) const { return folder_.path() / name; }

  /// The arguments of a training run of this name.
  std::string train(const std::string& name, int steps, const std::string& more = "") const {
    const auto file = folder_.path() / (name + ".yaml");
    std::ofstream(file) << small_experiment(pack(), steps);
    return "train " + file.string() + " --set run=" + run(name).string() + " " + more;
  }
  std::string weights(const std::string& name, const std::string& checkpoint = "last") const {
    return slurp(run(name) / "checkpoints" / checkpoint / "model.safetensors");
  }

 private:
  TemporaryFolder folder_;
};

/// The rows of a run's metrics.jsonl that have `key`.
inline std::vector<nlohmann::json> metrics_with(const std::filesystem::path& run, const std::string& key) {
  std::vector<nlohmann::json> rows;
  std::ifstream file(run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    auto row = nlohmann::json::parse(line, nullptr, false);
    if (row.is_object() && row.contains(key)) rows.push_back(std::move(row));
  }
  return rows;
}

inline std::int64_t last_step(const std::filesystem::path& run) {
  const auto rows = metrics_with(run, "loss");
  return rows.empty() ? 0 : rows.back()["step"].get<std::int64_t>();
}

/// A command that runs while the test goes on. Leads a process group, so that all it started can be signalled at once.
class Background {
 public:
  /// What it says goes into the file `output`.
  explicit Background(const std::string& command, const std::string& output = "/dev/null") : pid_(fork()) {
    if (pid_ == 0) {
      setpgid(0, 0);
      execl("/bin/sh", "sh", "-c", ("exec " + command + " >" + output + " 2>&1 </dev/null").c_str(), nullptr);
      _exit(127);
    }
    setpgid(pid_, pid_);
  }
  ~Background() {
    if (!waited_) {
      signal_all(SIGKILL);
      wait();
    }
  }
  void signal_all(int signal) const { kill(-pid_, signal); }
  void signal_first(int signal) const { kill(pid_, signal); }
  bool running() {
    if (waited_) return false;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == 0) return true;
    take(status);
    return false;
  }
  /// The exit code; 128 + N when signal N ended it.
  int wait() {
    int status = 0;
    if (!waited_ && waitpid(pid_, &status, 0) == pid_) take(status);
    return code_;
  }

 private:
  void take(int status) {
    waited_ = true;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  pid_t pid_;
  bool waited_ = false;
  int code_ = -1;
};

/// Waits until `condition` holds, at most a minute; returns whether it came to hold.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

inline std::string mpirun(int ranks, const std::string& arguments) {
  return "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 mpirun --oversubscribe "
         "--bind-to none -n " + std::to_string(ranks) + " " + etude_program() + " " + arguments;
}

}  // namespace etude::testing
