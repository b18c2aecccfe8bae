#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sweep/storage/rdb_reader.h"
#include "sweep/storage/storage.h"

namespace etude::sweep {

/// What the lines of a journal come to. Studies and trials are numbered by their order in the file, over all studies.
/// Lines that Optuna passes over are passed over here: changes to a trial that is over, to a study that was removed, of
/// a parameter that is another than it was.
class Journal {
 public:
  struct Study {
    StudyRecord record;
    bool removed = false;
    std::vector<std::int64_t> trials;                                       ///< their ids, by number
    std::map<std::string, std::shared_ptr<const Distribution>> parameters;  ///< as first seen
  };

  /// Takes a line. Throws Error saying what is wrong with it.
  void apply(std::string_view line);

  const std::vector<Study>& studies() const { return studies_; }
  const std::vector<Trial>& trials() const { return trials_; }  ///< by id
  /// Whether times bear their offset from UTC here.
  bool has_offsets() const { return has_offsets_; }
  Study* study(std::int64_t id);  ///< nullptr where there is none (any more)

 private:
  void create_study(const Json& line);
  void create_trial(const Json& line);
  void set_parameter(Trial& trial, std::int64_t study, const Json& line);
  void set_state(Trial& trial, const Json& line);
  Trial* running(std::int64_t id);
  std::optional<double> time(const Json& line, const char* key);

  std::vector<Study> studies_;
  std::vector<Trial> trials_;
  std::vector<std::int64_t> study_of_;  ///< of each trial
  DistributionPool distributions_;
  bool has_offsets_ = false;
};

/// The lines that make these changes, without their line ends. `worker` is who writes.
std::string journal_line(const std::string& worker, const StudyRecord& created);
std::string journal_line(const std::string& worker, std::int64_t study, const Change& change, double now, bool offsets);

}  // namespace etude::sweep
