#include "sweep/study.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

constexpr std::chrono::milliseconds kBetweenTries{500};  ///< of a storage that takes nothing

bool same(const Trial& a, const Trial& b) {
  const auto parameters_alike = [](const Parameter& x, const Parameter& y) {
    return x.name == y.name && x.value == y.value && *x.distribution == *y.distribution;
  };
  return a.state == b.state && a.values == b.values && a.reports == b.reports &&
         a.user_attributes == b.user_attributes && a.system_attributes == b.system_attributes &&
         std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(), b.parameters.end(),
                    parameters_alike);
}

}  // namespace

Study::Study(std::unique_ptr<Storage> storage, StudyRecord record, std::function<void(const Trial&)> changed)
    : storage_(std::move(storage)), record_(std::move(record)), changed_(std::move(changed)) {
  storage_->written_by_others();  // whatever they have written so far is read now
  for (Trial& trial : storage_->load(record_.id)) merge(std::move(trial));
  writer_ = std::jthread([this](std::stop_token stop) { write_batches(std::move(stop)); });
}

Study::~Study() {
  writer_.request_stop();
  work_.notify_all();
  writer_.join();
}

const Trial* Study::find(std::int64_t number) const {
  return number >= 0 && number < std::ssize(trials_) ? &trials_[static_cast<std::size_t>(number)] : nullptr;
}

const Trial& Study::add(Trial trial) {
  flush();
  trial.number = std::ssize(trials_);
  std::vector<Change> changes{NewTrial{std::move(trial)}};
  {
    const std::lock_guard storing(storage_mutex_);
    storage_->apply(record_.id, changes);
  }
  Trial stored = std::move(std::get<NewTrial>(changes.front()).trial);
  const std::int64_t number = stored.number;
  if (number > std::ssize(trials_)) refresh();  // others have begun trials meanwhile
  merge(std::move(stored));
  return at(number);
}

void Study::set_state(std::int64_t number, TrialState state, std::vector<double> values, double now) {
  Trial& trial = at(number);
  StateChange change{.id = trial.id, .state = state, .values = values, .began = {}, .ended = {}};
  trial.state = state;
  if (!values.empty()) trial.values = std::move(values);
  if (state == TrialState::kRunning && !trial.began) trial.began = change.began = now;
  if (is_over(state)) trial.ended = change.ended = now;
  queue(std::move(change));
  changed_(trial);
}

void Study::set_parameters(std::int64_t number, const std::vector<Parameter>& parameters) {
  Trial& trial = at(number);
  for (const Parameter& parameter : parameters) {
    trial.set_parameter(parameter);
    queue(NewParameter{trial.id, parameter});
  }
  changed_(trial);
}

void Study::report(std::int64_t number, Report report) {
  Trial& trial = at(number);
  trial.set_report(report);
  queue(NewReport{trial.id, report});
  changed_(trial);
}

void Study::set_attribute(std::int64_t number, bool system, const std::string& key, Json value) {
  Trial& trial = at(number);
  (system ? trial.system_attributes : trial.user_attributes)[key] = value;
  queue(TrialAttribute{trial.id, system, key, std::move(value)});
  changed_(trial);
}

void Study::remove_attribute(std::int64_t number, const std::string& key) {
  Trial& trial = at(number);
  if (trial.system_attributes.erase(key) == 0) return;
  queue(TrialAttribute{trial.id, true, key, Json(Json::value_t::discarded)});
  changed_(trial);
}

void Study::set_study_attribute(bool system, const std::string& key, Json value) {
  (system ? record_.system_attributes : record_.user_attributes)[key] = value;
  queue(StudyAttribute{system, key, std::move(value)});
}

void Study::refresh() {
  {
    const std::lock_guard storing(storage_mutex_);
    if (!storage_->written_by_others()) return;
  }
  flush();  // or what is not stored yet would be taken back
  std::vector<std::int64_t> open;
  for (const Trial& trial : trials_) {
    if (!is_over(trial.state)) open.push_back(trial.id);
  }
  std::vector<Trial> theirs;
  {
    const std::lock_guard storing(storage_mutex_);
    theirs = storage_->load(record_.id, trials_.empty() ? -1 : trials_.back().id, open);
  }
  for (Trial& trial : theirs) merge(std::move(trial));
}

void Study::merge(Trial theirs) {
  if (theirs.number > std::ssize(trials_)) {
    throw Error(
        fmt::format("study '{}': there is a trial {}, but none of number {}; were rows deleted from the "
                    "storage? A copy of the study made with optuna.copy_study is numbered anew",
                    record_.name, theirs.number, trials_.size()));
  }
  if (theirs.number == std::ssize(trials_)) {
    trials_.push_back(std::move(theirs));
    changed_(trials_.back());
    return;
  }
  Trial& ours = at(theirs.number);
  if (same(ours, theirs)) return;
  ours = std::move(theirs);
  changed_(ours);
}

void Study::queue(Change change) {
  pending_.push_back(std::move(change));
  ++queued_;
  work_.notify_one();
}

void Study::flush() {
  const std::lock_guard storing(storage_mutex_);  // a batch that is being written comes first
  if (pending_.empty() && unstored_.empty()) return;
  take_pending();
  store();
  stored_ = queued_;
  done_.notify_all();
}

void Study::take_pending() {
  unstored_.insert(unstored_.end(), std::make_move_iterator(pending_.begin()), std::make_move_iterator(pending_.end()));
  pending_.clear();
}

void Study::store() {
  storage_->apply(record_.id, unstored_);
  unstored_.clear();
}

void Study::wait_until_stored(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t mine = queued_, failures_before = failures_;
  done_.wait(lock, [&] { return stored_ >= mine || failures_ > failures_before; });
  if (stored_ < mine) throw Error(failure_);
}

void Study::write_batches(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, stop, [&] { return stored_ < queued_; });
    if (stored_ == queued_) return;  // asked to stop, and nothing is left
    std::unique_lock storing(storage_mutex_);
    take_pending();
    const std::uint64_t up_to = queued_;
    lock.unlock();
    std::string failure;
    try {
      store();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    storing.unlock();
    lock.lock();
    if (failure.empty()) {
      stored_ = std::max(stored_, up_to);
    } else {
      failure_ = failure;
      ++failures_;
    }
    done_.notify_all();
    if (!failure.empty()) {
      if (stop.stop_requested()) return;
      work_.wait_for(lock, stop, kBetweenTries, [] { return false; });
    }
  }
}

}  // namespace etude::sweep
