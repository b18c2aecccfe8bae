#pragma once

#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sweep/desk.h"

namespace etude::sweep::testing {

/// A study of which everything is known, in place of a controller.
class StandInDesk : public Desk {
 public:
  explicit StandInDesk(const std::string& more = "") {
    sweep = load_sweep_text(
        "name: demo\nexperiment: e.yaml\nmetric: {name: eval_loss, goal: minimize}\nparameters:\n"
        "  model.kind: {values: [gpt2, transformer_xl]}\n"
        "  train.lr: {type: float, low: 1.0e-5, high: 1.0e-2, log: true}\n"
        "  model.memory: {type: int, low: 64, high: 1024, step: 64, when: {model.kind: transformer_xl}}\n" +
            more,
        "demo.yaml");
    study.name = sweep->name;
    for (const Objective& objective : sweep->objectives) study.directions.push_back(objective.direction);
  }

  static Order order(std::int64_t number) {
    Order order;
    order.number = number;
    order.parameters["train.lr"] = 0.001;
    order.lease = 120;
    return order;
  }
  std::optional<Order> ask(const Worker& worker, const std::string& request) override {
    const std::lock_guard lock(mutex);
    if (!over.empty()) return std::nullopt;
    const auto known = asked.find(request);
    if (known != asked.end()) return order(known->second);
    Trial trial;
    trial.number = static_cast<std::int64_t>(trials.size());
    trial.set_parameter({"train.lr", 0.001, sweep->space.find("train.lr")->distribution});
    trial.began = 1e9;
    asked[request] = trial.number;
    add(trial, {{worker, 1e9, 1e9, true}});
    return order(trial.number);
  }
  Answer report(std::int64_t number, const std::vector<Measurement>& measurements) override {
    const std::lock_guard lock(mutex);
    Trial& trial = at(number);
    if (is_over(trial.state)) throw Refusal(409, "that trial is over");
    for (const Measurement& one : measurements) trial.set_report({one.step, one.metrics.begin()->second});
    touch(number);
    ++reports;
    return answer;
  }
  void tell(std::int64_t number, const Outcome& outcome) override {
    const std::lock_guard lock(mutex);
    Trial& trial = at(number);
    trial.state = outcome.state;
    for (const auto& [name, value] : outcome.metrics) trial.values.push_back(value);
    if (!outcome.reason.empty()) trial.system_attributes[kReason] = outcome.reason;
    trial.ended = 1e9 + 60;
    touch(number);
  }
  std::int64_t enqueue(const std::map<std::string, Json>& values, const std::string&) override {
    const std::lock_guard lock(mutex);
    if (values.contains("train.lr") && values.at("train.lr") == "fast") throw Refusal(422, "'fast' is no number");
    Trial trial;
    trial.number = static_cast<std::int64_t>(trials.size());
    trial.state = TrialState::kWaiting;
    add(trial, {});
    return trial.number;
  }
  std::int64_t retry(std::int64_t number, const std::string& request) override {
    {
      const std::lock_guard lock(mutex);
      at(number);
    }
    return enqueue({}, request);
  }
  void prune(std::int64_t number) override {
    const std::lock_guard lock(mutex);
    if (is_over(at(number).state)) throw Refusal(409, "that trial is over");
    answer.verdict = Verdict::kPrune;
  }
  void stop() override {
    const std::lock_guard lock(mutex);
    over = "stopped by hand";
  }
  void view(const std::function<void(const View&)>& look) override {
    const std::lock_guard lock(mutex);
    look({*sweep, study, trials, stints, revisions, revision, incarnation, spent, over, best, 1.5e9});
  }

  void add(Trial trial, std::vector<Stint> worked) {
    trials.push_back(std::move(trial));
    stints.push_back(std::move(worked));
    revisions.push_back(++revision);
  }
  Trial& at(std::int64_t number) {
    if (number < 0 || number >= static_cast<std::int64_t>(trials.size())) throw Refusal(404, "there is no such trial");
    return trials[static_cast<std::size_t>(number)];
  }
  void touch(std::int64_t number) { revisions[static_cast<std::size_t>(number)] = ++revision; }

  std::mutex mutex;
  std::unique_ptr<SweepFile> sweep;
  StudyRecord study;
  std::vector<Trial> trials;
  std::vector<std::vector<Stint>> stints;
  std::vector<std::uint64_t> revisions;
  std::uint64_t revision = 0;
  std::string incarnation = "first";
  Spent spent;
  std::string over;
  std::vector<std::int64_t> best;
  std::map<std::string, std::int64_t> asked;
  Answer answer;
  std::int64_t reports = 0;
};

/// A study with all that JSON, HTML and encodings stumble over.
inline void fill_with_oddities(StandInDesk& desk) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const SearchSpace& space = desk.sweep->space;
  Trial complete;
  complete.state = TrialState::kComplete;
  complete.values = {kInf};
  complete.set_parameter({"model.kind", 1, space.find("model.kind")->distribution});
  complete.set_parameter({"model.memory", 128, space.find("model.memory")->distribution});
  complete.reports = {{0, kNan}, {10, -kInf}, {20, 0.5}};
  complete.user_attributes = {{"noten", "Prélude № 1 </script><script>alert(1)</script>"},
                              {"nested", {{"loss", kNan}, {"list", {1, kInf, nullptr}}}},
                              {"bytes", "\xff\xfe no UTF-8"}};
  complete.began = 1e9;
  complete.ended = 1e9 + 5;
  desk.add(complete, {{{"node1:17", "node1", 1, 4, 1}, 1e9, 1e9 + 5, false}});
  Trial paused;
  paused.number = 1;
  paused.system_attributes = {{kPaused, 200}, {kParent, 0}, {kRetries, 2}, {kReason, "its node died"}};
  desk.add(paused, {});
  Trial failed;
  failed.number = 2;
  failed.state = TrialState::kFail;
  desk.add(failed, {});
  desk.best = {0};
}

}  // namespace etude::sweep::testing
