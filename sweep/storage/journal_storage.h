#pragma once

#include <map>
#include <memory>
#include <string>

#include "sweep/storage/claim.h"
#include "sweep/storage/journal.h"
#include "sweep/storage/journal_file.h"
#include "sweep/storage/storage.h"

namespace etude::sweep {

/// Optuna's journal file: what happened, one line each. Not safe to be used by several threads at once.
///
/// What is different from a database: a trial that is over cannot be changed any more (apply leaves that out), and the
/// changes of one apply() are one write, which a kill in its very middle may leave in part, line by line.
class JournalStorage : public Storage {
 public:
  /// Throws as open_storage does.
  JournalStorage(const std::filesystem::path& file, bool create);

  std::vector<StudyRecord> studies() override;
  StudyRecord create(const std::string& name, const std::vector<Direction>& directions) override;
  std::optional<StudyRecord> find(const std::string& name) override;
  std::vector<Trial> load(std::int64_t study, std::int64_t after, const std::vector<std::int64_t>& also) override;
  void apply(std::int64_t study, std::vector<Change>& changes) override;
  bool written_by_others() override;
  void claim(const StudyRecord& study) override;

 private:
  void read_on();
  /// Appends what `make` returns, it having been made when everything before was read, and takes it in.
  void append(const std::function<std::string()>& make);

  JournalFile file_;
  Journal journal_;
  std::string worker_;
  bool others_wrote_ = false;
  std::map<std::int64_t, std::unique_ptr<FileClaim>> claims_;
};

}  // namespace etude::sweep
