#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/background.h"
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

inline std::string mpirun(int ranks, const std::string& arguments) {
  return "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 mpirun --oversubscribe "
         "--bind-to none -n " + std::to_string(ranks) + " " + etude_program() + " " + arguments;
}

}  // namespace etude::testing
