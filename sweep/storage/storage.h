#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sweep/trial.h"

namespace etude::sweep {

/// Changes to a study, in the order in which they are to be made.
struct NewTrial {
  Trial trial;  ///< all of it is stored; `id` and `number` are filled in by apply()
};
struct StateChange {
  std::int64_t id = -1;
  TrialState state = TrialState::kRunning;
  std::vector<double> values;   ///< replaces what there is when not empty
  std::optional<double> began;  ///< left as it is when nothing is said
  std::optional<double> ended;
};
struct NewParameter {
  std::int64_t id = -1;
  Parameter parameter;
};
struct NewReport {  ///< replaces an earlier one of that step
  std::int64_t id = -1;
  Report report;
};
struct TrialAttribute {
  std::int64_t id = -1;
  bool system = false;
  std::string key;
  Json value;  ///< where discarded (Json::value_t::discarded), the attribute is removed
};
struct StudyAttribute {
  bool system = false;
  std::string key;
  Json value;
};
using Change = std::variant<NewTrial, StateChange, NewParameter, NewReport, TrialAttribute, StudyAttribute>;

struct StudyRecord {
  std::int64_t id = -1;
  std::string name;
  std::vector<Direction> directions;
  std::map<std::string, Json> user_attributes;
  std::map<std::string, Json> system_attributes;
};

/// Where studies live, in a format of Optuna's: others may read and write them at the same time.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual std::vector<StudyRecord> studies() = 0;
  /// Throws UsageError when there is one of that name.
  virtual StudyRecord create(const std::string& name, const std::vector<Direction>& directions) = 0;
  /// The study of that name; nothing where there is none.
  virtual std::optional<StudyRecord> find(const std::string& name) = 0;

  /// The trials of a study whose id is greater than `after`, and those among `also`, by number.
  virtual std::vector<Trial> load(std::int64_t study, std::int64_t after = -1,
                                  const std::vector<std::int64_t>& also = {}) = 0;

  /// All of the changes or none of them, and they outlive the process; fills in id and number of new trials. Throws
  /// Error (disk full, server gone), after which the same changes may be tried again.
  /// Attributes of trials that are over are left out where the format has no place for them, as in a journal.
  virtual void apply(std::int64_t study, std::vector<Change>& changes) = 0;

  /// Whether somebody else may have written since this was last asked. Cheap.
  virtual bool written_by_others() = 0;

  /// Makes this process the one writer of new suggestions for a study until the storage is destroyed or the process
  /// ends. Throws UsageError naming who holds it already.
  virtual void claim(const StudyRecord& study) = 0;
};

/// Opens "sqlite:///relative.db", "sqlite:////absolute.db", "postgresql://user@host/database" or
/// "journal:///relative.log". `create`: makes the tables or file where there are none; otherwise throws UsageError.
/// Throws UsageError for a schema of another version, naming it and the way out, and has written nothing then. A
/// password in the URL never becomes part of an error.
std::unique_ptr<Storage> open_storage(const std::string& url, bool create);

/// The URL without its password, to be shown.
std::string without_password(const std::string& url);

}  // namespace etude::sweep
