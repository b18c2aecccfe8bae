#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/table.h"
#include "framework/config/error.h"
#include "framework/log/format.h"
#include "launch/job_list.h"
#include "launch/launcher.h"

namespace etude::cli {
namespace {

Row row_of(const launch::Overview& overview) {
  Row row{overview.job.name, in_words(overview.state), overview.where, "", "", "", "", ""};
  if (const auto& status = overview.status) {
    const launch::Progress& progress = status->progress;
    if (progress.steps > 0) row[3] = fmt::format("{}/{}", progress.step, progress.steps);
    if (progress.loss) row[4] = fmt::format("{:.4f}", *progress.loss);
    if (progress.tokens_per_second > 0) {
      row[5] = log::with_thousands(static_cast<std::int64_t>(progress.tokens_per_second));
    }
    if (!is_over(overview.state) && progress.seconds_left >= 0) row[6] = log::duration(progress.seconds_left);
    if (!status->attempts.empty()) row[7] = cost_in_words(*status);
  }
  return row;
}

nlohmann::json to_json(const launch::Overview& overview) {
  nlohmann::json json{{"name", overview.job.name},        {"state", in_words(overview.state)},
                      {"words", in_words(overview)},      {"where", overview.where},
                      {"run", overview.job.run.string()}, {"submitted", overview.job.submitted}};
  if (overview.status) json["status"] = nlohmann::json::parse(launch::to_json(*overview.status));
  return json;
}

/// One job that cannot be read must not hide the others.
void list_jobs(bool as_json) {
  std::vector<Row> rows{{"NAME", "STATE", "WHERE", "STEP", "LOSS", "TOKENS/S", "LEFT", "COST"}};
  std::vector<std::string> remarks{""};
  nlohmann::json all = nlohmann::json::array();
  for (const auto& [name, folder] : launch::JobList().all()) {
    try {
      const launch::Overview overview = launch::look(launch::load_job(folder));
      rows.push_back(row_of(overview));
      remarks.push_back(in_words(overview));
      all.push_back(to_json(overview));
    } catch (const Error& error) {
      rows.push_back({name, "unknown", "", "", "", "", "", ""});
      remarks.push_back(error.what());
      all.push_back({{"name", name}, {"state", "unknown"}, {"words", error.what()}});
    }
  }
  if (as_json) {
    fmt::print("{}\n", all.dump(1));
  } else if (rows.size() == 1) {
    fmt::print("There are no jobs; 'etude launch EXPERIMENT' starts one.\n");
  } else {
    print_table(rows, remarks);
  }
}

void forget(const launch::Job& job) {
  const launch::Overview overview = launch::look(job);
  if (!is_over(overview.state) && overview.state != launch::State::kEnded) {
    throw UsageError(
        fmt::format("{} is {}; 'etude jobs stop {}' ends it first", job.name, in_words(overview.state), job.name));
  }
  launch::JobList().forget(job.name);
  fmt::print("{} is listed no more; its run folder stays: {}\n", job.name, job.run.string());
}

}  // namespace

void add_jobs(CLI::App& app) {
  CLI::App* command = app.add_subcommand("jobs", "What was launched, and how it stands");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "As JSON, with all attempts and costs");

  // Each takes the name of a job, or its run folder.
  const auto add = [&](const char* name, const char* sentence, auto work) {
    CLI::App* verb = command->add_subcommand(name, sentence);
    auto wanted = std::make_shared<std::string>();
    verb->add_option("name", *wanted, "The job's name, or its run folder")->required()->type_name("NAME");
    verb->callback([wanted, work] { work(launch::JobList().find(*wanted)); });
    return verb;
  };
  add("follow", "Show what it prints, until it ends or Ctrl-C (it goes on)", [](const launch::Job& job) {
    if (const int code = follow(job, false); code != 0) throw ExitCode{code};
  });
  add("logs", "Print what it has printed so far",
      [](const launch::Job& job) { fmt::print("{}", launch::cluster_of(job)->engine_in_use().logs(job)); });
  auto now = std::make_shared<bool>(false);
  add("stop", "Ask it to end with a checkpoint", [now](const launch::Job& job) {
    fmt::print("{}\n", launch::stop(job, *now));
  })->add_flag("--now", *now, "Have its engine end it, without waiting for a checkpoint");
  auto limits = std::make_shared<launch::Limits>();
  CLI::App* resume = add("resume", "Go on with one that was stopped or has failed", [limits](const launch::Job& job) {
    const launch::Job resumed = launch::resume(job, *limits);
    fmt::print("{0} goes on; 'etude jobs follow {0}' shows it\n", resumed.name);
  });
  add_launch_limits(*resume, *limits);
  add("forget", "Take one that is over from the list; its run folder stays", forget);
  command->callback([command, as_json] {
    if (command->get_subcommands().empty()) list_jobs(*as_json);
  });
}

}  // namespace etude::cli
