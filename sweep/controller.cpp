#include "sweep/controller.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sweep/conduct.h"
#include "sweep/trial_notes.h"

namespace etude::sweep {
namespace {

constexpr double kStintsAreStored = 30;  ///< every so many seconds, of workers that nobody launched

constexpr const char* kMetricNames = "study:metric_names";  ///< Optuna's, for its plots

Json metric_names(const SweepFile& sweep) {
  Json names = Json::array();
  for (const Objective& objective : sweep.objectives) names.push_back(objective.name);
  return names;
}

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
  const auto names = found->system_attributes.find(kMetricNames);
  if (names != found->system_attributes.end() && names->second != metric_names(sweep)) {
    throw UsageError(fmt::format(
        "study '{}' in {} holds values of {}, the sweep file asks for {}: these cannot be compared; another "
        "name makes another study",
        sweep.name, without_password(sweep.storage), dump_json(names->second), dump_json(metric_names(sweep))));
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
  conduct_ = std::make_unique<Conduct>(sweep, std::move(storage), std::move(record), std::move(clock));
  std::unique_lock lock(conduct_->study.mutex());
  conduct_->take_over();
  if (!conduct_->study.record().system_attributes.contains(kMetricNames)) {
    conduct_->study.set_study_attribute(true, kMetricNames, metric_names(sweep));
  }
  std::int64_t position = 0;
  for (const auto& values : sweep.enqueue) {
    conduct_->enqueue({{kFixed, Json(values)}}, fmt::format("sweep file, enqueue {}", position++));
  }
  conduct_->study.wait_until_stored(lock);
}

Controller::~Controller() {
  std::unique_lock lock(conduct_->study.mutex());
  conduct_->wall_stored = 0;
  conduct_->store_wall(conduct_->clock());
}

std::optional<Order> Controller::ask(const Worker& worker, const std::string& request) {
  return as_refusal([&]() -> std::optional<Order> {
    Conduct& conduct = *conduct_;
    std::unique_lock lock(conduct.study.mutex());
    conduct.study.refresh();
    if (const auto known = conduct.requests.find(request); known != conduct.requests.end()) {
      if (const auto found = conduct.live.find(known->second);
          found != conduct.live.end() && found->second.request == request) {
        conduct.study.wait_until_stored(lock);
        return conduct.order(known->second);
      }
    }
    if (!conduct.over().empty()) return std::nullopt;
    const auto number = conduct.choose(worker, request);
    if (!number) return std::nullopt;
    conduct.hand_to(*number, worker, request);
    const Order order = conduct.order(*number);
    conduct.study.wait_until_stored(lock);
    return order;
  });
}

Answer Controller::report(std::int64_t number, const std::vector<Measurement>& measurements) {
  return as_refusal([&] {
    Conduct& conduct = *conduct_;
    std::unique_lock lock(conduct.study.mutex());
    const Trial& trial = conduct.existing(number);
    if (trial.state == TrialState::kWaiting) throw Refusal(kConflict, fmt::format("trial {} has not begun", number));
    auto found = conduct.live.find(number);
    if (found == conduct.live.end() && conduct.to_resume.contains(number)) {
      // It was taken for lost, and lives. Whoever had launched it still looks after its job.
      const auto& known = conduct.stints[static_cast<std::size_t>(number)];
      const bool launched = !known.empty() && known.back().worker.launched;
      conduct.hand_to(number, launched ? known.back().worker : Worker{}, text_attribute(trial, kRequest));
      found = conduct.live.find(number);
    }
    if (found == conduct.live.end()) {
      if (trial.state == TrialState::kRunning && !trial.paused()) {
        throw Refusal(kConflict, fmt::format("trial {} is another's, who shares the storage", number));
      }
      return Answer{verdict_of(trial), text_attribute(trial, kReason), -1};
    }
    if (conduct.take_measurements(number, measurements)) conduct.judge(number);
    conduct.stop_what_must();
    const double now = conduct.clock();
    Conduct::Live& one = found->second;
    one.standing.last_word = now;
    if (!one.standing.worker.launched) {
      one.lease_until = now + conduct.sweep.controller.lease;
      if (now - one.stints_stored > kStintsAreStored) {
        conduct.stints[static_cast<std::size_t>(number)].back().ended = now;
        conduct.store_stints(number, one);
      }
    }
    const Answer answer{one.standing.verdict, one.standing.reason, conduct.allowance(now)};
    conduct.study.wait_until_stored(lock);
    return answer;
  });
}

void Controller::tell(std::int64_t number, const Outcome& outcome) {
  as_refusal([&] {
    std::unique_lock lock(conduct_->study.mutex());
    conduct_->end(number, outcome);
    const auto found = conduct_->live.find(number);
    if (found != conduct_->live.end() && !found->second.standing.worker.launched) conduct_->release(number);
    conduct_->study.wait_until_stored(lock);
  });
}

void Controller::catch_up(std::int64_t number, const std::vector<Measurement>& measurements) {
  as_refusal([&] {
    std::unique_lock lock(conduct_->study.mutex());
    if (conduct_->existing(number).state == TrialState::kRunning) conduct_->take_measurements(number, measurements);
    conduct_->study.wait_until_stored(lock);
  });
}

void Controller::ended(std::int64_t number, const Outcome& outcome) {
  as_refusal([&] {
    std::unique_lock lock(conduct_->study.mutex());
    conduct_->end(number, outcome);
    conduct_->release(number);
    conduct_->study.wait_until_stored(lock);
  });
}

void Controller::lose(std::int64_t number, const std::string& why) {
  as_refusal([&] {
    std::unique_lock lock(conduct_->study.mutex());
    conduct_->lose(number, why);
    conduct_->study.wait_until_stored(lock);
  });
}

void Controller::note_stints(std::int64_t number, std::vector<Stint> stints) {
  const std::lock_guard lock(conduct_->study.mutex());
  Conduct& conduct = *conduct_;
  conduct.existing(number);
  auto& known = conduct.stints[static_cast<std::size_t>(number)];
  const bool turned = known.size() != stints.size() || (!known.empty() && known.back().open != stints.back().open);
  known = std::move(stints);
  conduct.spending.note(number, known);
  conduct.revisions[static_cast<std::size_t>(number)] = ++conduct.revision;
  const auto found = conduct.live.find(number);
  if (turned && found != conduct.live.end()) conduct.store_stints(number, found->second);
}

std::map<std::int64_t, Standing> Controller::standings() {
  const std::lock_guard lock(conduct_->study.mutex());
  std::map<std::int64_t, Standing> all;
  for (const auto& [number, one] : conduct_->live) all[number] = one.standing;
  return all;
}

void Controller::look_around() {
  as_refusal([&] {
    Conduct& conduct = *conduct_;
    std::unique_lock lock(conduct.study.mutex());
    conduct.study.refresh();
    const double now = conduct.clock();
    std::vector<std::int64_t> silent;
    for (const auto& [number, one] : conduct.live) {
      if (one.lease_until < now) silent.push_back(number);
    }
    for (const std::int64_t number : silent) {
      conduct.lose(number, fmt::format("no word from its worker '{}' for {:g} s",
                                       conduct.live.at(number).standing.worker.name, conduct.sweep.controller.lease));
    }
    conduct.stop_what_must();
    conduct.store_wall(now);
    const std::string over = conduct.over();
    if (!over.empty() && !conduct.stopping && conduct.live.empty()) {
      const std::set<std::int64_t> to_resume = std::exchange(conduct.to_resume, {}), paused = conduct.paused;
      for (const std::int64_t number : to_resume) conduct.conclude(number, over);
      for (const std::int64_t number : paused) {
        conduct.conclude(number, fmt::format("was not promoted from step {}",
                                             whole_attribute(conduct.existing(number), kPaused, 0)));
      }
    }
    conduct.study.wait_until_stored(lock);
  });
}

Order Controller::order(std::int64_t number) {
  const std::lock_guard lock(conduct_->study.mutex());
  return conduct_->order(number);
}

void Controller::remember(const std::string& key, const Json& value) {
  as_refusal([&] {
    std::unique_lock lock(conduct_->study.mutex());
    const auto& known = conduct_->study.record().system_attributes;
    if (const auto found = known.find(key); found != known.end() && found->second == value) return;
    conduct_->study.set_study_attribute(true, key, value);
    conduct_->study.wait_until_stored(lock);
  });
}

bool Controller::finished() {
  const std::lock_guard lock(conduct_->study.mutex());
  return conduct_->live.empty() && !conduct_->over().empty();
}

std::int64_t Controller::enqueue(const std::map<std::string, Json>& values, const std::string& request) {
  return as_refusal([&] {
    const std::lock_guard lock(conduct_->study.mutex());
    for (const auto& [name, value] : values) {
      const SearchSpace::Entry* entry = conduct_->sweep.space.find(name);
      if (entry == nullptr) throw Refusal(kUnfit, fmt::format("'{}' is no parameter of this sweep", name));
      if (!entry->distribution->internal(value)) {
        throw Refusal(
            kUnfit, fmt::format("{} is no value of '{}': {}", dump_json(value), name, entry->distribution->to_json()));
      }
    }
    return conduct_->enqueue({{kFixed, Json(values)}}, request);
  });
}

std::int64_t Controller::retry(std::int64_t number, const std::string& request) {
  return as_refusal([&] {
    const std::lock_guard lock(conduct_->study.mutex());
    const Trial& trial = conduct_->existing(number);
    if (trial.state != TrialState::kFail && trial.state != TrialState::kPruned) {
      throw Refusal(kConflict, fmt::format("trial {} is {}; what failed or was pruned may be tried again", number,
                                           name_of(trial.state)));
    }
    Json values = Json::object();
    for (const Parameter& parameter : trial.parameters) values[parameter.name] = parameter.external();
    std::map<std::string, Json> attributes{{kFixed, values}};
    if (!trial.reports.empty()) attributes[kParent] = number;
    return conduct_->enqueue(std::move(attributes), request);
  });
}

void Controller::prune(std::int64_t number) {
  as_refusal([&] {
    std::unique_lock lock(conduct_->study.mutex());
    const Trial& trial = conduct_->existing(number);
    if (is_over(trial.state)) {
      throw Refusal(kConflict, fmt::format("trial {} is over already ({})", number, name_of(trial.state)));
    }
    if (trial.state == TrialState::kWaiting) {
      conduct_->fail(number, "taken back by hand");
    } else if (conduct_->live.contains(number) || trial.paused() || conduct_->to_resume.contains(number)) {
      conduct_->to_resume.erase(number);
      conduct_->decide(number, Verdict::kPrune, "pruned by hand");
    } else {
      throw Refusal(kConflict, fmt::format("trial {} is another's, who shares the storage", number));
    }
    conduct_->study.wait_until_stored(lock);
  });
}

void Controller::stop() {
  const std::lock_guard lock(conduct_->study.mutex());
  conduct_->stopping = true;
  conduct_->stop_what_must();
}

void Controller::view(const std::function<void(const View&)>& look) {
  const std::lock_guard lock(conduct_->study.mutex());
  Conduct& conduct = *conduct_;
  const double now = conduct.clock();
  View view{.sweep = conduct.sweep,
            .study = conduct.study.record(),
            .trials = conduct.study.trials(),
            .stints = conduct.stints,
            .revisions = conduct.revisions,
            .revision = conduct.revision,
            .incarnation = conduct.incarnation,
            .spent = conduct.spending.spent(now),
            .over = conduct.over(),
            .best = conduct.best(),
            .now = now};
  view.spent.trials = conduct.begun;
  view.spent.wall = conduct.wall(now);
  look(view);
}

}  // namespace etude::sweep
