#include "sweep/conduct.h"

#include <random>
#include <utility>

#include <fmt/format.h>

#include "sweep/pareto.h"
#include "sweep/samplers/population.h"
#include "sweep/trial_notes.h"

namespace etude::sweep {
namespace {

constexpr int kMostDraws = 8;         ///< for a configuration that was not tried before
constexpr double kWallIsStored = 10;  ///< every so many seconds

std::string new_incarnation() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

void keep(std::set<std::int64_t>& set, std::int64_t number, bool in) {
  if (in) {
    set.insert(number);
  } else {
    set.erase(number);
  }
}

}  // namespace

Conduct::Conduct(const SweepFile& file, std::unique_ptr<Storage> storage, StudyRecord record,
                 std::function<double()> time)
    : sweep(file),
      clock(std::move(time)),
      incarnation(new_incarnation()),
      spending(file.budget),
      study(std::move(storage), std::move(record), [this](const Trial& trial) { has_changed(trial); }) {}

void Conduct::has_changed(const Trial& trial) {
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

const std::vector<std::int64_t>& Conduct::best() {
  if (std::exchange(best_is_stale, false)) best_known = pareto_front(study.history());
  return best_known;
}

double Conduct::wall(double now) const { return wall_before + (now - wall_since); }

double Conduct::allowance(double now) const {
  Worker together;
  together.cores = 0;
  for (const auto& [number, one] : live) {
    together.cores += one.standing.worker.cores;
    together.gpus += one.standing.worker.gpus;
    together.price += one.standing.worker.price;
  }
  return spending.allowance(now, wall(now), together);
}

const Trial& Conduct::existing(std::int64_t number) const {
  const Trial* trial = study.find(number);
  if (trial == nullptr) throw Refusal(kGone, fmt::format("there is no trial {}", number));
  return *trial;
}

void Conduct::take_over() {
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

std::string Conduct::over() {
  if (stopping) return "it was stopped by hand";
  const double now = clock();
  if (std::string why = spending.exhausted(now, wall(now)); !why.empty()) return why;
  if (!live.empty() || !to_resume.empty() || promotable()) return "";
  if (sweep.budget.trials > 0 && begun >= sweep.budget.trials) {
    return fmt::format("the budget of {} trials is used up", sweep.budget.trials);
  }
  return waiting.empty() ? exhausted() : "";
}

std::string Conduct::exhausted() {
  if (!sampler_is_through.empty()) return sampler_is_through;
  const std::string why = sweep.sampler().exhausted(sweep.space, study.history());
  if (live.empty()) sampler_is_through = why;
  return why;
}

std::optional<std::int64_t> Conduct::promotable() const {
  return paused.empty() ? std::nullopt : sweep.pruner().promote(study.history());
}

std::optional<std::int64_t> Conduct::choose(const Worker& worker, const std::string& request) {
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
  if (!exhausted().empty()) return std::nullopt;
  return begin_new(worker, request);
}

bool Conduct::begin_waiting(std::int64_t number) {
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

Suggestion Conduct::suggest(std::int64_t number, const Assignment& fixed, std::uint64_t draw) {
  constexpr std::uint64_t kFarApart = 0x100000000;
  return sweep.sampler().suggest(
      {sweep.space, study.history(), number, fixed, static_cast<std::uint64_t>(sweep.seed) + draw * kFarApart});
}

void Conduct::note(std::int64_t number, const Suggestion& suggestion, bool has_parent) {
  for (const auto& [key, value] : suggestion.notes) study.set_attribute(number, true, key, value);
  if (suggestion.parent && !has_parent) study.set_attribute(number, true, kParent, *suggestion.parent);
}

std::optional<std::int64_t> Conduct::begin_new(const Worker& worker, const std::string& request) {
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

void Conduct::hand_to(std::int64_t number, const Worker& worker, const std::string& request) {
  const double now = clock();
  Live one;
  one.standing = {worker, Verdict::kContinue, "", now, now};
  one.request = request;
  to_resume.erase(number);
  study.remove_attribute(number, kReason);  // of an earlier loss or rest
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

Order Conduct::order(std::int64_t number) const {
  const Trial& trial = existing(number);
  Order order;
  order.number = number;
  for (const Parameter& parameter : trial.parameters) order.parameters[parameter.name] = parameter.external();
  if (const auto parent = whole_attribute(trial, kParent, -1); parent >= 0) order.parent = parent;
  if (!trial.reports.empty()) order.resumed_at = trial.reports.back().step;
  if (const auto until = whole_attribute(trial, kUntil, -1); until >= 0) order.until = until;
  order.lease = sweep.controller.lease;
  order.allowance = allowance(clock());
  return order;
}

std::int64_t Conduct::enqueue(std::map<std::string, Json> system_attributes, const std::string& request) {
  if (const auto known = requests.find(request); known != requests.end()) return known->second;
  Trial trial;
  trial.state = TrialState::kWaiting;
  trial.system_attributes = std::move(system_attributes);
  trial.system_attributes[kEnqueued] = request;
  const std::int64_t number = study.add(std::move(trial)).number;
  requests[request] = number;
  return number;
}

void Conduct::store_wall(double now) {
  if (now - wall_stored < kWallIsStored) return;
  wall_stored = now;
  study.set_study_attribute(true, kWall, wall(now));
}

}  // namespace etude::sweep
