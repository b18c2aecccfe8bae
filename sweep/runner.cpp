#include "sweep/runner.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/run/run_folder.h"
#include "launch/engine.h"
#include "sweep/harvest.h"
#include "sweep/parameters.h"
#include "sweep/place.h"
#include "sweep/stored_allowance.h"

namespace etude::sweep {
namespace {

namespace fs = std::filesystem;

constexpr double kBetweenTries = 10;  ///< seconds, of an engine that takes nothing

/// Its last stint ends where the job has.
std::vector<Stint> stints_of(const Worker& worker, const launch::Overview& overview) {
  std::vector<Stint> stints;
  if (!overview.status) return stints;
  const bool over = launch::is_over(overview.state) || overview.state == launch::State::kEnded;
  for (const launch::Attempt& attempt : overview.status->attempts) {
    Stint stint{worker, attempt.began, attempt.ended, attempt.cause == launch::Cause::kOpen && !over};
    const double share = static_cast<double>(attempt.nodes) / worker.nodes;
    stint.worker.name = overview.where;
    stint.worker.host = overview.status->host;
    stint.worker.nodes *= share;
    stint.worker.cores *= share;
    stint.worker.gpus *= share;
    stint.worker.price *= share;
    stints.push_back(std::move(stint));
  }
  return stints;
}

/// What one trial occupies of such a cluster.
Worker worker_on(launch::Cluster& cluster) {
  launch::settle(cluster, {});
  Worker worker;
  worker.name = cluster.engine;
  worker.nodes = static_cast<double>(cluster.nodes);
  worker.cores = worker.nodes * static_cast<double>(cluster.engine_in_use().cores_on_each_node(cluster));
  worker.gpus = worker.nodes * static_cast<double>(cluster.gpus_per_node);
  worker.price = worker.nodes * cluster.price.per_node_hour;
  worker.launched = true;
  return worker;
}

}  // namespace

Runner::Runner(Controller& controller, const SweepFile& sweep,
               std::function<std::unique_ptr<launch::Cluster>()> cluster, Prepare prepare, fs::path place)
    : controller_(controller),
      sweep_(sweep),
      cluster_(std::move(cluster)),
      prepare_(std::move(prepare)),
      place_(std::move(place)),
      worker_(worker_on(*cluster_())),
      name_(fmt::format("runner {} at {:.0f}", ::getpid(), launch::now())) {}

fs::path Runner::folder_of(const SweepFile& sweep, std::int64_t number) {
  return fs::absolute(sweep.folder).lexically_normal() / fmt::format("trial-{:04}", number);
}

void Runner::say(std::int64_t number, const std::string& what) const {
  say_(fmt::format("trial {}: {}", number, what));
}

void Runner::look_around(const std::function<void(const std::string&)>& say_it) {
  say_ = say_it;
  under_way_ = 0;
  for (const auto& [number, standing] : controller_.standings()) {
    if (!standing.worker.launched) continue;
    ++under_way_;
    try {
      look_after(number, standing);
    } catch (const Error& error) {
      try_later(number, error.what());
    }
  }
  begin_more();
}

void Runner::try_later(std::int64_t number, const std::string& trouble) {
  next_try_[number] = launch::now() + kBetweenTries;
  if (std::exchange(trouble_[number], trouble) != trouble) say(number, trouble + "; trying again");
}

void Runner::begin_more() {
  while (under_way_ < sweep_.resources.max_concurrent_trials) {
    const auto order = controller_.ask(worker_, fmt::format("{}, {}", name_, asked_));
    if (!order) return;
    ++asked_;
    ++under_way_;
    try {
      start(*order);
    } catch (const UsageError& error) {
      // It cannot be, whoever computes it: heads that do not divide the width.
      say(order->number, error.what());
      controller_.ended(order->number, {TrialState::kFail, {}, error.what()});
      --under_way_;
    } catch (const Error& error) {
      try_later(order->number, error.what());
    }
  }
}

std::vector<std::string> Runner::assignments(const Order& order) const {
  std::vector<std::string> all = sweep_.assignments;
  for (const auto& [name, value] : order.parameters) all.push_back(assignment(name, value));
  all.push_back(fmt::format("name={}-{:04}", sweep_.name, order.number));
  all.push_back(fmt::format("run={}", dump_json(folder_of(sweep_, order.number).string())));
  if (order.parent) {
    all.push_back(fmt::format("train.go_on_from={}", dump_json(folder_of(sweep_, *order.parent).string())));
  }
  return all;
}

void Runner::start(const Order& order) {
  const fs::path folder = run::RunFolder(folder_of(sweep_, order.number)).job();
  told_to_stop_.erase(order.number);
  fs::create_directories(folder);
  StoredAllowance(folder).grant(order.allowance < 0 ? std::nullopt : std::optional(order.allowance));
  if (fs::exists(folder / "job.json")) {
    if (const launch::Job job = launch::load_job(folder); !job.id.empty()) {
      launch::resume(job, {});
      return say(order.number, fmt::format("goes on from step {}", order.resumed_at.value_or(0)));
    }
  }
  launch(order);
}

void Runner::launch(const Order& order) {
  const auto cluster = cluster_();
  const bool shared = cluster->engine_in_use().shares_files();
  cluster->environment["ETUDE_SWEEP_CONTROLLER"] = shared ? place_.string() : find_controller(place_.string()).url;
  cluster->environment["ETUDE_SWEEP_TRIAL"] = std::to_string(order.number);
  if (order.until) cluster->environment["ETUDE_SWEEP_UNTIL"] = std::to_string(*order.until);
  cluster->max_restarts = sweep_.resources.max_restarts;
  const launch::Request request = prepare_(assignments(order));
  launch::settle(*cluster, {request});
  launch::launch(*cluster, {request}, {.limits = {}, .resume = true, .overwrite = false});
  std::string values;
  for (const auto& [name, value] : order.parameters) values += fmt::format("  {}={}", name, dump_json(value));
  say(order.number, fmt::format("submitted{}", values));
}

void Runner::look_after(std::int64_t number, const Standing& standing) {
  const fs::path folder = run::RunFolder(folder_of(sweep_, number)).job();
  const bool there = fs::exists(folder / "job.json");
  const launch::Job job = there ? launch::load_job(folder) : launch::Job{};
  if (job.id.empty()) {  // a controller before this one was killed, or the engine took nothing
    if (standing.verdict != Verdict::kContinue) return controller_.ended(number, {TrialState::kPruned, {}, ""});
    if (launch::now() >= next_try_[number]) start(controller_.order(number));
    return;
  }
  const launch::Overview overview = launch::look(job);
  const bool over = launch::is_over(overview.state) || overview.state == launch::State::kEnded;
  if (over && job.submitted < launch::utc(standing.given)) {
    return start(controller_.order(number));  // that was its job before it was handed out again
  }
  controller_.note_stints(number, stints_of(standing.worker, overview));
  if (over) {
    controller_.catch_up(number, evaluations_in(run::RunFolder(job.folder.parent_path()).metrics()));
    end(number, standing, overview);
  } else if (standing.verdict == Verdict::kPause || standing.verdict == Verdict::kPrune) {
    if (told_to_stop_.insert(number).second) launch::stop(job, false);
  }
}

void Runner::end(std::int64_t number, const Standing& standing, const launch::Overview& overview) {
  const launch::Job& job = overview.job;
  if (overview.state != launch::State::kDone && standing.verdict == Verdict::kContinue) {
    say(number, fmt::format("its job: {}{}{}", launch::in_words(overview.state), overview.words.empty() ? "" : ": ",
                            overview.words));
  }
  switch (overview.state) {
    case launch::State::kDone: {
      const auto found = final_evaluation(run::RunFolder(job.folder.parent_path()));
      if (found) return controller_.ended(number, {TrialState::kComplete, found->metrics, ""});
      if (standing.verdict != Verdict::kContinue) return controller_.ended(number, {TrialState::kPruned, {}, ""});
      return controller_.ended(number, {TrialState::kFail, {}, "its final weights were not measured"});
    }
    case launch::State::kStopped:
      if (standing.verdict != Verdict::kContinue) return controller_.ended(number, {TrialState::kPruned, {}, ""});
      if (fs::exists(job.stop_file())) {
        return controller_.ended(number, {TrialState::kPruned, {}, "its job was stopped by hand"});
      }
      return controller_.lose(number, overview.words);
    case launch::State::kFailed:
      return controller_.ended(number, {TrialState::kFail, {}, overview.words});
    default:
      return controller_.lose(number, overview.words);
  }
}

}  // namespace etude::sweep
