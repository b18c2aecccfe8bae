#pragma once

#include <filesystem>
#include <mutex>
#include <string>

namespace etude::track {

/// What trackers must know of a run again when it is resumed: its track.json. Safe to use from several threads.
class Card {
 public:
  /// Reads the file, where there is one, and gives the run its id where it has none yet. Throws Error naming the file.
  explicit Card(std::filesystem::path file);

  /// Of this run and no other, through all its sessions.
  const std::string& id() const { return id_; }

  /// A run of MLflow's.
  struct MlflowRun {
    std::string address;  ///< of the server that has it
    std::string run;      ///< empty where there is none yet
  };
  MlflowRun mlflow() const;
  /// Throws Error where the file cannot be written.
  void note(const MlflowRun& run);

 private:
  void write() const;

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::string id_;
  MlflowRun mlflow_;
};

}  // namespace etude::track
