#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sweep/storage/database.h"
#include "sweep/trial.h"

namespace etude::sweep {

/// Keeps one Distribution for each text that describes one: a study has few of them and very many parameters.
class DistributionPool {
 public:
  /// Throws Error where the text describes none.
  std::shared_ptr<const Distribution> get(const std::string& json);

 private:
  std::unordered_map<std::string, std::shared_ptr<const Distribution>> known_;
};

/// Puts trials together from the tables that they are spread over, each read once in the order in which it lies there.
class RdbReader {
 public:
  explicit RdbReader(Database& database) : database_(database) {}

  /// Those whose id is above `after`, and those among `also`, by number. To be called within one transaction.
  std::vector<Trial> read(std::int64_t study, std::int64_t after, const std::vector<std::int64_t>& also);

 private:
  void read_trials(std::int64_t study, std::int64_t from, std::int64_t to);
  void read_belongings(std::int64_t from, std::int64_t to, bool all);
  /// Calls `take` for each row that belongs to a trial of those read; errors name the table and the trial.
  template <typename Take>
  void each(const char* table, const char* sql, std::initializer_list<const char*> into, const Take& take);
  Trial* find(std::int64_t id);

  Database& database_;
  DistributionPool distributions_;
  std::vector<Trial> trials_;  ///< in order of id while being read
  std::size_t last_ = 0;       ///< where the last one looked for stands: rows of a trial lie together
};

}  // namespace etude::sweep
