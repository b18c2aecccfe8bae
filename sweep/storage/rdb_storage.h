#pragma once

#include <memory>

#include "sweep/storage/database.h"
#include "sweep/storage/storage.h"

namespace etude::sweep {

/// Optuna's relational schema. Not safe to be used by several threads at once.
class RdbStorage : public Storage {
 public:
  /// Throws as open_storage does.
  RdbStorage(std::unique_ptr<Database> database, bool create);

  std::vector<StudyRecord> studies() override;
  StudyRecord create(const std::string& name, const std::vector<Direction>& directions) override;
  std::optional<StudyRecord> find(const std::string& name) override;
  std::vector<Trial> load(std::int64_t study, std::int64_t after, const std::vector<std::int64_t>& also) override;
  void apply(std::int64_t study, std::vector<Change>& changes) override;
  bool written_by_others() override { return database_->written_by_others(); }
  void claim(const StudyRecord& study) override;

 private:
  std::unique_ptr<Database> database_;
};

}  // namespace etude::sweep
