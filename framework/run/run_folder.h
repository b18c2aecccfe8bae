#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace etude::run {

/// The unit of comparison: everything one training run leaves behind. Only names and the lock are known here.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config() const { return root_ / "config.yaml"; }        ///< fully resolved
  std::filesystem::path tokenizer() const { return root_ / "tokenizer.json"; }  ///< so that it can make music alone
  std::filesystem::path environment() const { return root_ / "environment.json"; }
  std::filesystem::path metrics() const { return root_ / "metrics.jsonl"; }
  std::filesystem::path log() const { return root_ / "log.txt"; }
  std::filesystem::path checkpoints() const { return root_ / "checkpoints"; }
  std::filesystem::path evaluations() const {
    return root_ / "evaluations";
  }  ///< one file per evaluation while training
  std::filesystem::path evaluation() const { return root_ / "evaluation.json"; }  ///< what `etude evaluate` found

  std::filesystem::path floor() const { return root_ / "floor.json"; }     ///< what an n-gram model reaches
  std::filesystem::path music() const { return root_ / "music.json"; }     ///< what generated pieces are like
  std::filesystem::path generated() const { return root_ / "generated"; }  ///< the pieces that were measured

  std::filesystem::path faults() const { return root_ / "faults"; }    ///< what ranks knew when one did not come
  std::filesystem::path profile() const { return root_ / "profile"; }  ///< a trace of each rank
  std::filesystem::path tensorboard() const { return root_ / "tensorboard"; }  ///< event files, one a session
  std::filesystem::path track() const { return root_ / "track.json"; }         ///< what trackers call this run
  std::filesystem::path job() const { return root_ / "job"; }  ///< how a launcher had it started, and what it cost

  bool exists() const;
  /// Makes the folder. Throws Error when it cannot.
  void create() const;
  /// Removes what a run has left here, but for how it was launched.
  void clear() const;

 private:
  std::filesystem::path root_;
};

/// Held while a run writes into its folder; a second run in the same folder is refused. Freed by the system when the
/// process dies, however it dies.
class RunLock {
 public:
  /// Throws UsageError naming the process that holds the folder.
  explicit RunLock(const RunFolder& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Whether a run writes into the folder now. Where that cannot be known (a folder of others, a file system without
/// locks) nothing. Looking takes the lock for a moment, which a RunLock waits out.
std::optional<bool> is_written(const RunFolder& folder);

/// Opens a run folder that must be there. Throws UsageError saying what is missing.
RunFolder open_run(const std::filesystem::path& root);

}  // namespace etude::run
