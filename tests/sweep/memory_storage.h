#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/error.h"
#include "sweep/storage/storage.h"

namespace etude::sweep {

/// What a database would hold: outlives the storages that are opened on it, may be written by others, and may be full.
struct Disk {
  std::optional<StudyRecord> study;
  std::vector<Trial> trials;
  bool full = false;
  bool written_by_others = false;
  int batches = 0;

  Trial& add(Trial trial) {
    trial.number = std::ssize(trials);
    trial.id = 100 + trial.number;
    trials.push_back(std::move(trial));
    return trials.back();
  }
};

/// Keeps to storage.h without any format.
class MemoryStorage final : public Storage {
 public:
  explicit MemoryStorage(Disk& disk) : disk_(disk) {}

  std::vector<StudyRecord> studies() override {
    return disk_.study ? std::vector{*disk_.study} : std::vector<StudyRecord>{};
  }
  StudyRecord create(const std::string& name, const std::vector<Direction>& directions) override {
    disk_.study = StudyRecord{1, name, directions, {}, {}};
    return *disk_.study;
  }
  std::optional<StudyRecord> find(const std::string&) override { return disk_.study; }
  std::vector<Trial> load(std::int64_t, std::int64_t after, const std::vector<std::int64_t>& also) override {
    std::vector<Trial> found;
    for (const Trial& trial : disk_.trials) {
      if (trial.id > after || std::find(also.begin(), also.end(), trial.id) != also.end()) found.push_back(trial);
    }
    return found;
  }
  void apply(std::int64_t, std::vector<Change>& changes) override {
    if (disk_.full) throw Error("database or disk is full");
    ++disk_.batches;
    for (Change& change : changes) std::visit([this](auto& one) { make(one); }, change);
  }
  bool written_by_others() override { return std::exchange(disk_.written_by_others, false); }
  void claim(const StudyRecord&) override {}

 private:
  Trial& at(std::int64_t id) { return disk_.trials.at(static_cast<std::size_t>(id - 100)); }
  void make(NewTrial& change) { change.trial = disk_.add(change.trial); }
  void make(const StateChange& change) {
    Trial& trial = at(change.id);
    trial.state = change.state;
    if (!change.values.empty()) trial.values = change.values;
    if (change.began) trial.began = change.began;
    if (change.ended) trial.ended = change.ended;
  }
  void make(const NewParameter& change) { at(change.id).set_parameter(change.parameter); }
  void make(const NewReport& change) { at(change.id).set_report(change.report); }
  void make(const TrialAttribute& change) {
    auto& attributes = change.system ? at(change.id).system_attributes : at(change.id).user_attributes;
    if (change.value.is_discarded()) {
      attributes.erase(change.key);
    } else {
      attributes[change.key] = change.value;
    }
  }
  void make(const StudyAttribute& change) {
    (change.system ? disk_.study->system_attributes : disk_.study->user_attributes)[change.key] = change.value;
  }

  Disk& disk_;
};

}  // namespace etude::sweep
