#pragma once

#include <filesystem>
#include <optional>

namespace etude::sweep {

/// How long a trial may train without a word from its controller, kept in its job's folder: for ranks that are started
/// while there is no controller, which could not ask. What a folder cannot take is not kept; nothing throws.
class StoredAllowance {
 public:
  explicit StoredAllowance(std::filesystem::path job_folder);

  /// So many seconds from the start of its ranks, whenever that is: waiting in a queue is free. Nothing for no bound.
  void grant(std::optional<double> seconds) const;

  /// Until that time (seconds since 1970), also for ranks that are started anew before it. Nothing for no bound.
  void hold_until(std::optional<double> time) const;

  /// Until when (seconds since 1970) ranks may train that were started at that time; nothing for no bound.
  std::optional<double> until(double started) const;

 private:
  void write(const char* key, std::optional<double> value) const;

  std::filesystem::path file_;
};

}  // namespace etude::sweep
