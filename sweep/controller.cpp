#include "sweep/controller.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "sweep/pareto.h"
#include "sweep/spending.h"
#include "sweep/study.h"

namespace etude::sweep {
namespace {

// System attributes of trials that this controller gave out.
constexpr const char* kRequest = "etude:request";    ///< the asker's word; there is one in every trial of ours
constexpr const char* kEnqueued = "etude:enqueued";  ///< the word of whoever enqueued it
constexpr const char* kLive = "etude:live";          ///< the worker, while it has the trial
constexpr const char* kStints = "etude:stints";
constexpr const char* kWall = "etude:wall";               ///< of the study: seconds it was worked on
constexpr const char* kDuplicate = "etude:duplicate_of";  ///< user attribute

constexpr int kGone = 404, kConflict = 409, kUnfit = 422, kUnavailable = 503;
constexpr int kMostDraws = 8;         ///< for a configuration that was not tried before
constexpr double kWallIsStored = 10;  ///< every so many seconds
constexpr double kStintsAreStored = 30;

Json to_json(const Worker& worker) {
  return {{"name", worker.name}, {"host", worker.host},   {"nodes", worker.nodes},      {"cores", worker.cores},
          {"gpus", worker.gpus}, {"price", worker.price}, {"launched", worker.launched}};
}

/// The worker of a trial, and since when it has it.
Json as_given(const Worker& worker, double now) {
  Json json = to_json(worker);
  json["given"] = now;
  return json;
}

Worker worker_from(const Json& json) {
  Worker worker;
  worker.name = json.value("name", "");
  worker.host = json.value("host", "");
  worker.nodes = json.value("nodes", 1.0);
  worker.cores = json.value("cores", 1.0);
  worker.gpus = json.value("gpus", 0.0);
  worker.price = json.value("price", 0.0);
  worker.launched = json.value("launched", false);
  return worker;
}

Json to_json(const std::vector<Stint>& stints) {
  Json all = Json::array();
  for (const Stint& stint : stints) {
    Json one = to_json(stint.worker);
    one.update({{"began", stint.began}, {"ended", stint.ended}, {"open", stint.open}});
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<Stint> stints_from(const Json& json) {
  std::vector<Stint> all;
  for (const Json& one : json) {
    all.push_back({worker_from(one), one.value("began", 0.0), one.value("ended", 0.0), one.value("open", false)});
  }
  return all;
}

std::string text_attribute(const Trial& trial, const char* key) {
  const auto found = trial.system_attributes.find(key);
  return found != trial.system_attributes.end() && found->second.is_string() ? found->second.get<std::string>() : "";
}

std::int64_t whole_attribute(const Trial& trial, const char* key, std::int64_t otherwise) {
  const auto found = trial.system_attributes.find(key);
  return found != trial.system_attributes.end() && found->second.is_number_integer() ? found->second.get<std::int64_t>()
                                                                                     : otherwise;
}

/// Two trials of the same configuration have the same.
std::string configuration(const Trial& trial) {
  std::string key;
  for (const Parameter& parameter : trial.parameters) {
    key += fmt::format("{}={};", parameter.name, dump_json(parameter.external()));
  }
  return key;
}

std::string new_incarnation() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

/// What a trial was told that is over, or waits to be promoted.
Verdict verdict_of(const Trial& trial) {
  if (trial.paused()) return Verdict::kPause;
  if (trial.state == TrialState::kRunning) return Verdict::kContinue;
  return trial.state == TrialState::kComplete ? Verdict::kFinish : Verdict::kPrune;
}

}  // namespace

struct Controller::Parts {
  struct Live {
    Standing standing;
    std::string request;
    double lease_until = std::numeric_limits<double>::infinity();
    double stints_stored = 0;
  };

  Parts(const SweepFile& file, std::unique_ptr<Storage> storage, StudyRecord record, Clock time)
      : sweep(file),
        clock(std::move(time)),
        incarnation(new_incarnation()),
        spending(file.budget),
        study(std::move(storage), std::move(record), [this](const Trial& trial) { has_changed(trial); }) {}

  const SweepFile& sweep;
  Clock clock;
  std::string incarnation;
  std::vector<std::uint64_t> revisions;
  std::uint64_t revision = 0;
  std::vector<std::vector<Stint>> stints;
  Spending spending;
  std::map<std::int64_t, Live> live;
  std::set<std::int64_t> to_resume;  ///< begun, and with no worker
  std::map<std::string, std::int64_t> requests;
  std::unordered_map<std::string, std::int64_t> finished_configurations;
  std::int64_t begun = 0;
  std::set<std::int64_t> waiting;
  std::set<std::int64_t> paused;
  bool stopping = false;
  double wall_before = 0, wall_since = 0, wall_stored = 0;
  bool sampler_is_through = false;
  std::vector<std::int64_t> best_known;
  bool best_is_stale = true;
  Study study;  // last: its thread ends first

  // ---- what is known ----

  void has_changed(const Trial& trial) {
    const auto place = static_cast<std::size_t>(trial.number);
    if (place >= revisions.size()) {
      revisions.resize(place + 1);
      stints.resize(place + 1);
      if (trial.state != TrialState::kWaiting) ++begun;
    } else if (waiting.contains(trial.number) && trial.state != TrialState::kWaiting) {
      ++begun;
    }
    revisions[place] = ++revision;
    keep(waiting, trial.number, trial.state == TrialState::kWaiting);
    keep(paused, trial.number, trial.paused());
    if (trial.state == TrialState::kComplete) {
      finished_configurations.try_emplace(configuration(trial), trial.number);
      best_is_stale = true;
    }
  }

  static void keep(std::set<std::int64_t>& set, std::int64_t number, bool in) {
    if (in) {
      set.insert(number);
    } else {
      set.erase(number);
    }
  }

  const std::vector<std::int64_t>& best() {
    if (std::exchange(best_is_stale, false)) best_known = pareto_front(study.history());
    return best_known;
  }

  double wall(double now) const { return wall_before + (now - wall_since); }

  const Trial& existing(std::int64_t number) const {
    const Trial* trial = study.find(number);
    if (trial == nullptr) throw Refusal(kGone, fmt::format("there is no trial {}", number));
    return *trial;
  }

  std::int64_t retries(const Trial& trial) const { return whole_attribute(trial, kRetries, 0); }

  /// Trials that an earlier controller had given out, or was to give out again.
  void take_over() {
    const double now = clock();
    wall_since = now;
    const auto& attributes = study.record().system_attributes;
    if (const auto found = attributes.find(kWall); found != attributes.end() && found->second.is_number()) {
      wall_before = found->second.get<double>();
    }
    for (const Trial& trial : study.trials()) {
      const auto noted = trial.system_attributes.find(kStints);
      auto& known = stints[static_cast<std::size_t>(trial.number)];
      if (noted != trial.system_attributes.end()) known = stints_from(noted->second);
      const std::string request = text_attribute(trial, kRequest);
      for (const std::string& word : {request, text_attribute(trial, kEnqueued)}) {
        if (!word.empty()) requests[word] = trial.number;
      }
      const auto worker = trial.system_attributes.find(kLive);
      if (worker != trial.system_attributes.end()) {
        Live one;
        one.standing = {worker_from(worker->second), verdict_of(trial), text_attribute(trial, kReason),
                        worker->second.value("given", now), now};
        one.request = request;
        if (!one.standing.worker.launched) one.lease_until = now + sweep.controller.lease;
        live[trial.number] = std::move(one);
      } else if (trial.state == TrialState::kRunning && !request.empty() && !trial.paused()) {
        to_resume.insert(trial.number);
      }
      spending.note(trial.number, known);
    }
  }

  // ---- giving out ----

  /// Why nothing will ever be begun again; empty while something may.
  std::string over() {
    if (stopping) return "it was stopped by hand";
    const double now = clock();
    if (std::string why = spending.exhausted(now, wall(now)); !why.empty()) return why;
    if (!live.empty() || !to_resume.empty() || promotable()) return "";
    if (sweep.budget.trials > 0 && begun >= sweep.budget.trials) {
      return fmt::format("the budget of {} trials is used up", sweep.budget.trials);
    }
    if (waiting.empty() && exhausted()) return "every configuration was tried";
    return "";
  }

  bool exhausted() {
    sampler_is_through = sampler_is_through || sweep.sampler().exhausted(sweep.space, study.history());
    return sampler_is_through;
  }

  std::optional<std::int64_t> promotable() const {
    return paused.empty() ? std::nullopt : sweep.pruner().promote(study.history());
  }

  std::optional<std::int64_t> choose(const Worker& worker, const std::string& request) {
    if (!to_resume.empty()) return *to_resume.begin();
    if (const auto number = promotable()) {
      if (live.contains(*number)) return std::nullopt;  // it is still writing its checkpoint
      study.remove_attribute(*number, kPaused);
      return number;
    }
    if (sweep.budget.trials > 0 && begun >= sweep.budget.trials) return std::nullopt;
    while (!waiting.empty()) {
      const std::int64_t number = *waiting.begin();
      if (begin_waiting(number)) return number;
    }
    if (exhausted()) return std::nullopt;
    return begin_new(worker, request);
  }

  /// False where what it was enqueued with cannot be; it has failed then.
  bool begin_waiting(std::int64_t number) {
    const Trial trial = existing(number);
    Assignment fixed;
    const auto wish = trial.system_attributes.find(kFixed);
    if (wish != trial.system_attributes.end() && wish->second.is_object()) {
      for (const auto& [name, value] : wish->second.items()) {
        const SearchSpace::Entry* entry = sweep.space.find(name);
        const auto internal = entry != nullptr ? entry->distribution->internal(value) : std::nullopt;
        if (internal) {
          fixed[name] = *internal;
          continue;
        }
        const std::string why = entry == nullptr
                                    ? fmt::format("'{}' is no parameter of this sweep", name)
                                    : fmt::format("{} is no value of '{}' in this sweep", dump_json(value), name);
        study.set_attribute(number, true, kReason, "it was enqueued with what cannot be: " + why);
        study.set_state(number, TrialState::kFail, {}, clock());
        return false;
      }
    }
    const Suggestion suggestion = suggest(number, fixed);
    study.set_parameters(number, sweep.space.parameters(suggestion.values));
    note(number, suggestion, trial.system_attributes.contains(kParent));
    study.set_state(number, TrialState::kRunning, {}, clock());
    return true;
  }

  Suggestion suggest(std::int64_t number, const Assignment& fixed, std::uint64_t draw = 0) {
    constexpr std::uint64_t kFarApart = 0x100000000;
    return sweep.sampler().suggest(
        {sweep.space, study.history(), number, fixed, static_cast<std::uint64_t>(sweep.seed) + draw * kFarApart});
  }

  void note(std::int64_t number, const Suggestion& suggestion, bool has_parent) {
    for (const auto& [key, value] : suggestion.notes) study.set_attribute(number, true, key, value);
    if (suggestion.parent && !has_parent) study.set_attribute(number, true, kParent, *suggestion.parent);
  }

  std::optional<std::int64_t> begin_new(const Worker& worker, const std::string& request) {
    Trial trial;
    Suggestion suggestion;
    std::optional<std::int64_t> twin;
    for (int draw = 0; draw < kMostDraws; ++draw) {
      suggestion = suggest(std::ssize(study.trials()), {}, static_cast<std::uint64_t>(draw));
      trial.parameters = sweep.space.parameters(suggestion.values);
      const auto found = finished_configurations.find(configuration(trial));
      twin = found == finished_configurations.end() || suggestion.parent ? std::nullopt : std::optional(found->second);
      if (!twin) break;
    }
    // Its checkpoint is still being written.
    if (suggestion.parent && live.contains(*suggestion.parent)) return std::nullopt;
    trial.state = TrialState::kRunning;
    trial.began = clock();
    trial.system_attributes = suggestion.notes;
    trial.system_attributes[kRequest] = request;
    trial.system_attributes[kLive] = as_given(worker, clock());
    if (suggestion.parent) trial.system_attributes[kParent] = *suggestion.parent;
    if (twin) trial.user_attributes[kDuplicate] = *twin;
    return study.add(std::move(trial)).number;
  }

  void hand_to(std::int64_t number, const Worker& worker, const std::string& request) {
    const double now = clock();
    Live one;
    one.standing = {worker, Verdict::kContinue, "", now, now};
    one.request = request;
    to_resume.erase(number);
    requests[request] = number;
    const Trial& trial = existing(number);
    if (text_attribute(trial, kRequest) != request || !trial.system_attributes.contains(kLive)) {
      study.set_attribute(number, true, kRequest, request);
      study.set_attribute(number, true, kLive, as_given(worker, now));
    }
    if (!worker.launched) {
      one.lease_until = now + sweep.controller.lease;
      auto& known = stints[static_cast<std::size_t>(number)];
      known.push_back({worker, now, now, true});
      store_stints(number, one);
    }
    live[number] = std::move(one);
  }

  Order order(std::int64_t number) const {
    const Trial& trial = existing(number);
    Order order;
    order.number = number;
    for (const Parameter& parameter : trial.parameters) order.parameters[parameter.name] = parameter.external();
    if (const auto parent = whole_attribute(trial, kParent, -1); parent >= 0) order.parent = parent;
    if (!trial.reports.empty()) order.resumed_at = trial.reports.back().step;
    order.lease = sweep.controller.lease;
    return order;
  }

  // ---- what comes of them ----

  void store_stints(std::int64_t number, Live& one) {
    const auto& known = stints[static_cast<std::size_t>(number)];
    spending.note(number, known);
    one.stints_stored = clock();
    study.set_attribute(number, true, kStints, to_json(known));
  }

  /// The worker has it no more.
  void release(std::int64_t number) {
    const auto found = live.find(number);
    if (found == live.end()) return;
    auto& known = stints[static_cast<std::size_t>(number)];
    if (!known.empty() && known.back().open) {
      known.back().open = false;
      known.back().ended = found->second.standing.worker.launched ? known.back().ended : clock();
    }
    store_stints(number, found->second);
    study.remove_attribute(number, kLive);
    live.erase(found);
  }

  void decide(std::int64_t number, Verdict verdict, const std::string& reason) {
    const Trial& trial = existing(number);
    if (const auto found = live.find(number); found != live.end()) {
      found->second.standing.verdict = verdict;
      found->second.standing.reason = reason;
    }
    if (!reason.empty()) study.set_attribute(number, true, kReason, reason);
    switch (verdict) {
      case Verdict::kContinue:
        return;
      case Verdict::kPause:
        study.set_attribute(number, true, kPaused, trial.reports.empty() ? 0 : trial.reports.back().step);
        return;
      case Verdict::kPrune:
        study.remove_attribute(number, kPaused);
        study.set_state(number, TrialState::kPruned, last_value(trial), clock());
        return;
      case Verdict::kFinish:
        study.set_state(number, TrialState::kComplete, last_value(trial), clock());
        return;
    }
  }

  /// As Optuna stores a trial that was pruned; nothing where there is no number.
  std::vector<double> last_value(const Trial& trial) const {
    if (sweep.objectives.size() != 1 || trial.reports.empty() || std::isnan(trial.reports.back().value)) return {};
    return {trial.reports.back().value};
  }

  void fail(std::int64_t number, const std::string& why) {
    study.set_attribute(number, true, kReason, why);
    study.set_state(number, TrialState::kFail, {}, clock());
  }

  /// Of what runs and waits when nothing will go on.
  void conclude(std::int64_t number, const std::string& why) {
    const Trial& trial = existing(number);
    study.remove_attribute(number, kPaused);
    if (last_value(trial).empty()) {
      fail(number, why);
    } else {
      study.set_attribute(number, true, kReason, why);
      study.set_state(number, TrialState::kPruned, last_value(trial), clock());
    }
  }

  void lose(std::int64_t number, const std::string& why) {
    const auto found = live.find(number);
    if (found == live.end()) return;
    release(number);
    const Trial& trial = existing(number);
    if (trial.state != TrialState::kRunning || trial.paused()) return;  // what it was told holds
    const std::int64_t before = retries(trial);
    if (before >= sweep.resources.max_restarts) {
      fail(number, before == 0 ? why : fmt::format("{}; it was begun {} times", why, before + 1));
      return;
    }
    study.set_attribute(number, true, kRetries, before + 1);
    study.set_attribute(number, true, kReason, why);
    to_resume.insert(number);
  }

  /// Ends what runs, where nothing may go on.
  void stop_what_must() {
    const double now = clock();
    const std::string why = stopping ? "the sweep was stopped" : spending.exhausted(now, wall(now));
    if (why.empty()) return;
    for (auto& [number, one] : live) {
      if (one.standing.verdict != Verdict::kContinue) continue;
      one.standing.verdict = Verdict::kPause;
      one.standing.reason = why;
    }
  }

  /// Whether there was any news in it.
  bool take_measurements(std::int64_t number, const std::vector<Measurement>& measurements) {
    const std::string& objective = sweep.objectives.front().name;
    bool news = false;
    for (const Measurement& one : measurements) {
      const auto value = one.metrics.find(objective);
      if (value == one.metrics.end()) continue;
      const auto& reports = existing(number).reports;
      if (std::any_of(reports.begin(), reports.end(), [&](const Report& known) { return known.step == one.step; })) {
        continue;
      }
      study.report(number, {one.step, value->second});
      news = true;
    }
    return news;
  }

  void judge(std::int64_t number) {
    const auto found = live.find(number);
    if (found == live.end() || found->second.standing.verdict != Verdict::kContinue) return;
    if (sweep.objectives.size() > 1) return;
    const Verdict verdict = sweep.pruner().judge(study.history(), existing(number));
    if (verdict == Verdict::kContinue) return;
    const auto step = existing(number).reports.back().step;
    decide(number, verdict,
           verdict == Verdict::kPrune   ? fmt::format("pruned by {} at step {}", sweep.pruner_kind, step)
           : verdict == Verdict::kPause ? fmt::format("waits at step {} for its promotion", step)
                                        : "");
  }

  void complete(std::int64_t number, const std::map<std::string, double>& metrics) {
    std::vector<double> values;
    for (const Objective& objective : sweep.objectives) {
      const auto value = metrics.find(objective.name);
      if (value == metrics.end()) {
        throw Refusal(kUnfit, fmt::format("trial {} is said to be complete, but '{}' is missing among what it measured",
                                          number, objective.name));
      }
      values.push_back(value->second);
    }
    for (const auto& [name, value] : metrics) study.set_attribute(number, false, name, value);
    const auto bad = std::find_if(values.begin(), values.end(), [](double value) { return std::isnan(value); });
    if (bad != values.end()) {
      const auto which = static_cast<std::size_t>(bad - values.begin());
      fail(number, fmt::format("its {} is not a number", sweep.objectives[which].name));
    } else {
      study.set_state(number, TrialState::kComplete, std::move(values), clock());
    }
  }

  /// What its worker says of its end; what was decided before holds.
  void end(std::int64_t number, const Outcome& outcome) {
    const Trial& trial = existing(number);
    if (trial.state != TrialState::kRunning) return;
    const auto found = live.find(number);
    // One that was told to rest at its very last step has nothing to go on with.
    if (trial.paused() && (outcome.state != TrialState::kComplete || found == live.end())) return;
    if (found == live.end() && !to_resume.contains(number)) {
      throw Refusal(kConflict, fmt::format("trial {} was not given out by this controller", number));
    }
    // Not its own wish: it goes on when the sweep does.
    const bool put_back = found != live.end() && found->second.standing.verdict == Verdict::kPause;
    switch (outcome.state) {
      case TrialState::kComplete:
        study.remove_attribute(number, kPaused);
        complete(number, outcome.metrics);
        break;
      case TrialState::kFail:
        fail(number, outcome.reason.empty() ? "it said that it failed" : outcome.reason);
        break;
      case TrialState::kPruned:
        if (put_back) {
          to_resume.insert(number);
          return;
        }
        decide(number, Verdict::kPrune, outcome.reason);
        break;
      default:
        throw Refusal(kUnfit,
                      fmt::format("a trial ends as COMPLETE, PRUNED or FAIL, not as {}", name_of(outcome.state)));
    }
    if (found != live.end()) found->second.standing.verdict = verdict_of(existing(number));
    to_resume.erase(number);
  }

  std::int64_t enqueue(std::map<std::string, Json> system_attributes, const std::string& request) {
    if (const auto known = requests.find(request); known != requests.end()) return known->second;
    Trial trial;
    trial.state = TrialState::kWaiting;
    trial.system_attributes = std::move(system_attributes);
    trial.system_attributes[kEnqueued] = request;
    const std::int64_t number = study.add(std::move(trial)).number;
    requests[request] = number;
    return number;
  }

  void store_wall(double now) {
    if (now - wall_stored < kWallIsStored) return;
    wall_stored = now;
    study.set_study_attribute(true, kWall, wall(now));
  }
};

namespace {

StudyRecord open_study(const SweepFile& sweep, Storage& storage) {
  std::vector<Direction> directions;
  for (const Objective& objective : sweep.objectives) directions.push_back(objective.direction);
  auto found = storage.find(sweep.name);
  if (!found) found = storage.create(sweep.name, directions);
  storage.claim(*found);
  if (found->directions != directions) {
    throw UsageError(
        fmt::format("study '{}' in {} was made for {} objective{} or other goals than the sweep file says; "
                    "another name makes another study",
                    sweep.name, without_password(sweep.storage), found->directions.size(),
                    found->directions.size() == 1 ? "" : "s"));
  }
  return *found;
}

/// Whatever the storage says, the same may be asked again.
template <typename Act>
auto as_refusal(const Act& act) {
  try {
    return act();
  } catch (const Refusal&) {
    throw;
  } catch (const Error& error) {
    throw Refusal(kUnavailable, error.what());
  }
}

}  // namespace

Controller::Controller(const SweepFile& sweep, std::unique_ptr<Storage> storage, Clock clock) {
  StudyRecord record = open_study(sweep, *storage);
  parts_ = std::make_unique<Parts>(sweep, std::move(storage), std::move(record), std::move(clock));
  std::unique_lock lock(parts_->study.mutex());
  parts_->take_over();
  Json names = Json::array();
  for (const Objective& objective : sweep.objectives) names.push_back(objective.name);
  constexpr const char* kMetricNames = "study:metric_names";  // Optuna's, for its plots
  const auto& attributes = parts_->study.record().system_attributes;
  if (const auto known = attributes.find(kMetricNames); known == attributes.end() || known->second != names) {
    parts_->study.set_study_attribute(true, kMetricNames, names);
  }
  std::int64_t position = 0;
  for (const auto& values : sweep.enqueue) {
    parts_->enqueue({{kFixed, Json(values)}}, fmt::format("sweep file, enqueue {}", position++));
  }
  parts_->study.wait_until_stored(lock);
}

Controller::~Controller() {
  std::unique_lock lock(parts_->study.mutex());
  parts_->wall_stored = 0;
  parts_->store_wall(parts_->clock());
}

std::optional<Order> Controller::ask(const Worker& worker, const std::string& request) {
  return as_refusal([&]() -> std::optional<Order> {
    Parts& parts = *parts_;
    std::unique_lock lock(parts.study.mutex());
    parts.study.refresh();
    if (const auto known = parts.requests.find(request); known != parts.requests.end()) {
      if (const auto found = parts.live.find(known->second);
          found != parts.live.end() && found->second.request == request) {
        parts.study.wait_until_stored(lock);
        return parts.order(known->second);
      }
    }
    if (!parts.over().empty()) return std::nullopt;
    const auto number = parts.choose(worker, request);
    if (!number) return std::nullopt;
    parts.hand_to(*number, worker, request);
    const Order order = parts.order(*number);
    parts.study.wait_until_stored(lock);
    return order;
  });
}

Answer Controller::report(std::int64_t number, const std::vector<Measurement>& measurements) {
  return as_refusal([&] {
    Parts& parts = *parts_;
    std::unique_lock lock(parts.study.mutex());
    const Trial& trial = parts.existing(number);
    if (trial.state == TrialState::kWaiting) throw Refusal(kConflict, fmt::format("trial {} has not begun", number));
    auto found = parts.live.find(number);
    if (found == parts.live.end() && parts.to_resume.contains(number)) {
      // It was taken for lost, and lives. Whoever had launched it still looks after its job.
      const auto& known = parts.stints[static_cast<std::size_t>(number)];
      const bool launched = !known.empty() && known.back().worker.launched;
      parts.hand_to(number, launched ? known.back().worker : Worker{}, text_attribute(trial, kRequest));
      found = parts.live.find(number);
    }
    if (found == parts.live.end()) {
      if (trial.state == TrialState::kRunning && !trial.paused()) {
        throw Refusal(kConflict, fmt::format("trial {} is another's, who shares the storage", number));
      }
      return Answer{verdict_of(trial), text_attribute(trial, kReason), -1};
    }
    if (parts.take_measurements(number, measurements)) parts.judge(number);
    parts.stop_what_must();
    const double now = parts.clock();
    Parts::Live& one = found->second;
    one.standing.last_word = now;
    if (!one.standing.worker.launched) {
      one.lease_until = now + parts.sweep.controller.lease;
      if (now - one.stints_stored > kStintsAreStored) {
        parts.stints[static_cast<std::size_t>(number)].back().ended = now;
        parts.store_stints(number, one);
      }
    }
    const Answer answer{one.standing.verdict, one.standing.reason, parts.spending.allowance(now, parts.wall(now))};
    parts.study.wait_until_stored(lock);
    return answer;
  });
}

void Controller::tell(std::int64_t number, const Outcome& outcome) {
  as_refusal([&] {
    std::unique_lock lock(parts_->study.mutex());
    parts_->end(number, outcome);
    const auto found = parts_->live.find(number);
    if (found != parts_->live.end() && !found->second.standing.worker.launched) parts_->release(number);
    parts_->study.wait_until_stored(lock);
  });
}

void Controller::catch_up(std::int64_t number, const std::vector<Measurement>& measurements) {
  as_refusal([&] {
    std::unique_lock lock(parts_->study.mutex());
    if (parts_->existing(number).state == TrialState::kRunning) parts_->take_measurements(number, measurements);
    parts_->study.wait_until_stored(lock);
  });
}

void Controller::ended(std::int64_t number, const Outcome& outcome) {
  as_refusal([&] {
    std::unique_lock lock(parts_->study.mutex());
    parts_->end(number, outcome);
    parts_->release(number);
    parts_->study.wait_until_stored(lock);
  });
}

void Controller::lose(std::int64_t number, const std::string& why) {
  as_refusal([&] {
    std::unique_lock lock(parts_->study.mutex());
    parts_->lose(number, why);
    parts_->study.wait_until_stored(lock);
  });
}

void Controller::note_stints(std::int64_t number, std::vector<Stint> stints) {
  const std::lock_guard lock(parts_->study.mutex());
  Parts& parts = *parts_;
  parts.existing(number);
  auto& known = parts.stints[static_cast<std::size_t>(number)];
  const bool turned = known.size() != stints.size() || (!known.empty() && known.back().open != stints.back().open);
  known = std::move(stints);
  parts.spending.note(number, known);
  parts.revisions[static_cast<std::size_t>(number)] = ++parts.revision;
  const auto found = parts.live.find(number);
  if (turned && found != parts.live.end()) parts.store_stints(number, found->second);
}

std::map<std::int64_t, Standing> Controller::standings() {
  const std::lock_guard lock(parts_->study.mutex());
  std::map<std::int64_t, Standing> all;
  for (const auto& [number, one] : parts_->live) all[number] = one.standing;
  return all;
}

void Controller::look_around() {
  as_refusal([&] {
    Parts& parts = *parts_;
    std::unique_lock lock(parts.study.mutex());
    parts.study.refresh();
    const double now = parts.clock();
    std::vector<std::int64_t> silent;
    for (const auto& [number, one] : parts.live) {
      if (one.lease_until < now) silent.push_back(number);
    }
    for (const std::int64_t number : silent) {
      parts.lose(number, fmt::format("no word from its worker '{}' for {:g} s",
                                     parts.live.at(number).standing.worker.name, parts.sweep.controller.lease));
    }
    parts.stop_what_must();
    parts.store_wall(now);
    const std::string over = parts.over();
    if (!over.empty() && !parts.stopping && parts.live.empty()) {
      const std::set<std::int64_t> to_resume = std::exchange(parts.to_resume, {}), paused = parts.paused;
      for (const std::int64_t number : to_resume) parts.conclude(number, over);
      for (const std::int64_t number : paused) {
        parts.conclude(
            number, fmt::format("was not promoted from step {}", whole_attribute(parts.existing(number), kPaused, 0)));
      }
    }
    parts.study.wait_until_stored(lock);
  });
}

Order Controller::order(std::int64_t number) {
  const std::lock_guard lock(parts_->study.mutex());
  return parts_->order(number);
}

void Controller::remember(const std::string& key, const Json& value) {
  as_refusal([&] {
    std::unique_lock lock(parts_->study.mutex());
    const auto& known = parts_->study.record().system_attributes;
    if (const auto found = known.find(key); found != known.end() && found->second == value) return;
    parts_->study.set_study_attribute(true, key, value);
    parts_->study.wait_until_stored(lock);
  });
}

bool Controller::finished() {
  const std::lock_guard lock(parts_->study.mutex());
  return parts_->live.empty() && !parts_->over().empty();
}

std::int64_t Controller::enqueue(const std::map<std::string, Json>& values, const std::string& request) {
  return as_refusal([&] {
    const std::lock_guard lock(parts_->study.mutex());
    for (const auto& [name, value] : values) {
      const SearchSpace::Entry* entry = parts_->sweep.space.find(name);
      if (entry == nullptr) throw Refusal(kUnfit, fmt::format("'{}' is no parameter of this sweep", name));
      if (!entry->distribution->internal(value)) {
        throw Refusal(
            kUnfit, fmt::format("{} is no value of '{}': {}", dump_json(value), name, entry->distribution->to_json()));
      }
    }
    return parts_->enqueue({{kFixed, Json(values)}}, request);
  });
}

std::int64_t Controller::retry(std::int64_t number, const std::string& request) {
  return as_refusal([&] {
    const std::lock_guard lock(parts_->study.mutex());
    const Trial& trial = parts_->existing(number);
    if (trial.state != TrialState::kFail && trial.state != TrialState::kPruned) {
      throw Refusal(kConflict, fmt::format("trial {} is {}; what failed or was pruned may be tried again", number,
                                           name_of(trial.state)));
    }
    Json values = Json::object();
    for (const Parameter& parameter : trial.parameters) values[parameter.name] = parameter.external();
    std::map<std::string, Json> attributes{{kFixed, values}};
    if (!trial.reports.empty()) attributes[kParent] = number;
    return parts_->enqueue(std::move(attributes), request);
  });
}

void Controller::prune(std::int64_t number) {
  as_refusal([&] {
    std::unique_lock lock(parts_->study.mutex());
    const Trial& trial = parts_->existing(number);
    if (is_over(trial.state)) {
      throw Refusal(kConflict, fmt::format("trial {} is over already ({})", number, name_of(trial.state)));
    }
    if (trial.state == TrialState::kWaiting) {
      parts_->fail(number, "taken back by hand");
    } else if (parts_->live.contains(number) || trial.paused() || parts_->to_resume.contains(number)) {
      parts_->to_resume.erase(number);
      parts_->decide(number, Verdict::kPrune, "pruned by hand");
    } else {
      throw Refusal(kConflict, fmt::format("trial {} is another's, who shares the storage", number));
    }
    parts_->study.wait_until_stored(lock);
  });
}

void Controller::stop() {
  const std::lock_guard lock(parts_->study.mutex());
  parts_->stopping = true;
  parts_->stop_what_must();
}

void Controller::view(const std::function<void(const View&)>& look) {
  const std::lock_guard lock(parts_->study.mutex());
  Parts& parts = *parts_;
  const double now = parts.clock();
  View view{.sweep = parts.sweep,
            .study = parts.study.record(),
            .trials = parts.study.trials(),
            .stints = parts.stints,
            .revisions = parts.revisions,
            .revision = parts.revision,
            .incarnation = parts.incarnation,
            .spent = parts.spending.spent(now),
            .over = parts.over(),
            .best = parts.best(),
            .now = now};
  view.spent.trials = parts.begun;
  view.spent.wall = parts.wall(now);
  look(view);
}

}  // namespace etude::sweep
