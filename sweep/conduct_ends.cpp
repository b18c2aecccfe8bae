#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "sweep/conduct.h"
#include "sweep/trial_notes.h"

namespace etude::sweep {

void Conduct::store_stints(std::int64_t number, Live& one) {
  const auto& known = stints[static_cast<std::size_t>(number)];
  spending.note(number, known);
  one.stints_stored = clock();
  study.set_attribute(number, true, kStints, to_json(known));
}

void Conduct::release(std::int64_t number) {
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

void Conduct::decide(std::int64_t number, Verdict verdict, const std::string& reason) {
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

std::vector<double> Conduct::last_value(const Trial& trial) const {
  if (sweep.objectives.size() != 1 || trial.reports.empty() || std::isnan(trial.reports.back().value)) return {};
  return {trial.reports.back().value};
}

void Conduct::fail(std::int64_t number, const std::string& why) {
  study.set_attribute(number, true, kReason, why);
  study.set_state(number, TrialState::kFail, {}, clock());
}

void Conduct::conclude(std::int64_t number, const std::string& why) {
  const Trial& trial = existing(number);
  study.remove_attribute(number, kPaused);
  if (last_value(trial).empty()) {
    fail(number, why);
  } else {
    study.set_attribute(number, true, kReason, why);
    study.set_state(number, TrialState::kPruned, last_value(trial), clock());
  }
}

void Conduct::lose(std::int64_t number, const std::string& why) {
  const auto found = live.find(number);
  if (found == live.end()) return;
  release(number);
  const Trial& trial = existing(number);
  if (trial.state != TrialState::kRunning || trial.paused()) return;  // what it was told holds
  const std::int64_t before = whole_attribute(trial, kRetries, 0);
  if (before >= sweep.resources.max_restarts) {
    fail(number, before == 0 ? why : fmt::format("{}; it was begun {} times", why, before + 1));
    return;
  }
  study.set_attribute(number, true, kRetries, before + 1);
  study.set_attribute(number, true, kReason, why);
  to_resume.insert(number);
}

void Conduct::stop_what_must() {
  const double now = clock();
  const std::string why = stopping ? "the sweep was stopped" : spending.exhausted(now, wall(now));
  if (why.empty()) return;
  for (auto& [number, one] : live) {
    if (one.standing.verdict != Verdict::kContinue) continue;
    one.standing.verdict = Verdict::kPause;
    one.standing.reason = why;
  }
}

bool Conduct::take_measurements(std::int64_t number, const std::vector<Measurement>& measurements) {
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

void Conduct::judge(std::int64_t number) {
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

void Conduct::complete(std::int64_t number, const std::map<std::string, double>& metrics) {
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
    study.remove_attribute(number, kReason);
    study.set_state(number, TrialState::kComplete, std::move(values), clock());
  }
}

void Conduct::end(std::int64_t number, const Outcome& outcome) {
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
      throw Refusal(kUnfit, fmt::format("a trial ends as COMPLETE, PRUNED or FAIL, not as {}", name_of(outcome.state)));
  }
  if (found != live.end()) found->second.standing.verdict = verdict_of(existing(number));
  to_resume.erase(number);
}

}  // namespace etude::sweep
