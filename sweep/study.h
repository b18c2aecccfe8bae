#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "sweep/storage/storage.h"
#include "sweep/trial.h"

namespace etude::sweep {

/// A study in memory and in its storage. Changes are made in memory at once and written by a thread, in one transaction
/// for all that came while the last one was written; whoever has to be sure waits for that. So a thousand reports a
/// second cost a few dozen transactions.
///
/// All but the constructor is called under mutex(); `lock` is a lock of it.
class Study {
 public:
  /// `changed` is called under the lock for each trial that is new or not what it was.
  Study(std::unique_ptr<Storage> storage, StudyRecord record, std::function<void(const Trial&)> changed);
  /// Writes what is left; what the storage does not take is lost.
  ~Study();
  Study(const Study&) = delete;
  Study& operator=(const Study&) = delete;

  std::mutex& mutex() { return mutex_; }

  const StudyRecord& record() const { return record_; }
  const std::vector<Trial>& trials() const { return trials_; }  ///< by number
  History history() const { return {record_.directions, trials_}; }
  /// nullptr where there is none of that number.
  const Trial* find(std::int64_t number) const;

  /// Stored when this returns, with the next number that is free. Throws Error, and there is no such trial then.
  const Trial& add(Trial trial);
  /// `values` empty: those it has stay.
  void set_state(std::int64_t number, TrialState state, std::vector<double> values, double now);
  void set_parameters(std::int64_t number, const std::vector<Parameter>& parameters);
  void report(std::int64_t number, Report report);
  void set_attribute(std::int64_t number, bool system, const std::string& key, Json value);
  void remove_attribute(std::int64_t number, const std::string& key);
  void set_study_attribute(bool system, const std::string& key, Json value);

  /// Takes over what others have written into the storage since the last time. Throws Error.
  void refresh();

  /// Waits, with the lock given up, until everything so far is stored. Throws Error with the storage's words when it
  /// was tried and failed; it is tried again and again, and what was changed here stays.
  void wait_until_stored(std::unique_lock<std::mutex>& lock);

 private:
  Trial& at(std::int64_t number) { return trials_.at(static_cast<std::size_t>(number)); }
  void queue(Change change);
  void merge(Trial theirs);
  void write_batches(std::stop_token stop);
  /// Stores what is pending, without giving up the lock.
  void flush();
  /// With both locks.
  void take_pending();
  /// Under storage_mutex_ alone.
  void store();

  std::mutex mutex_;
  std::mutex storage_mutex_;  ///< taken after mutex_ where both are
  std::unique_ptr<Storage> storage_;
  StudyRecord record_;
  std::function<void(const Trial&)> changed_;
  std::vector<Trial> trials_;

  std::vector<Change> pending_;
  std::vector<Change> unstored_;  ///< under storage_mutex_: taken from there, and not stored for sure
  std::uint64_t queued_ = 0, stored_ = 0, failures_ = 0;
  std::string failure_;
  std::condition_variable_any work_, done_;
  std::jthread writer_;
};

}  // namespace etude::sweep
