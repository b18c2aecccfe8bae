#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/sweep.h"
#include "cli/table.h"
#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/log/format.h"
#include "framework/log/text.h"
#include "sweep/client.h"
#include "sweep/importance.h"
#include "sweep/pareto.h"
#include "sweep/place.h"
#include "sweep/storage/storage.h"
#include "sweep/trial_notes.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;
using sweep::Json;
using sweep::SweepFile;
using sweep::Trial;
using sweep::TrialState;

struct Arguments {
  std::string study;
  std::string storage;
  fs::path output;
  std::string format = "csv";
  bool json = false;
  std::size_t objective = 0;
  std::int64_t trial = -1;
};

/// A study as it is stored, whoever made it.
struct Found {
  sweep::StudyRecord record;
  std::vector<Trial> trials;
  std::unique_ptr<SweepFile> sweep;  ///< null where it is no sweep of ours
  std::string place;                 ///< of the storage, to be shown

  sweep::History history() const { return {record.directions, trials}; }
  std::vector<std::string> objectives() const;
};

std::vector<std::string> Found::objectives() const {
  std::vector<std::string> names;
  const auto known = record.system_attributes.find("study:metric_names");
  if (known != record.system_attributes.end() && known->second.is_array()) {
    for (const Json& name : known->second) names.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  }
  for (std::size_t i = names.size(); i < record.directions.size(); ++i) names.push_back(fmt::format("value {}", i));
  return names;
}

std::unique_ptr<SweepFile> remembered_sweep(const sweep::StudyRecord& record) {
  const auto known = record.system_attributes.find(kSweepAttribute);
  if (known == record.system_attributes.end() || !known->second.is_string()) return nullptr;
  return sweep::load_sweep_text(known->second.get<std::string>(), fmt::format("study '{}'", record.name));
}

/// `study` is a sweep file, or the name of a study in --storage.
Found find_study(const Arguments& arguments) {
  std::string url = arguments.storage.empty() ? "sqlite:///sweep.db" : arguments.storage;
  std::string name = arguments.study;
  std::unique_ptr<SweepFile> file;
  if (fs::is_regular_file(arguments.study)) {
    file = sweep::load_sweep(arguments.study);
    name = file->name;
    if (arguments.storage.empty()) url = file->storage;
  }
  const auto storage = sweep::open_storage(url, /*create=*/false);
  const auto record = storage->find(name);
  if (!record) {
    std::vector<std::string> names;
    for (const sweep::StudyRecord& one : storage->studies()) names.push_back(one.name);
    throw UsageError(
        fmt::format("{}: there is no study '{}'; {}", sweep::without_password(url), name,
                    names.empty() ? "it holds none" : fmt::format("there are {}", fmt::join(names, ", "))));
  }
  Found found{*record, storage->load(record->id), std::move(file), sweep::without_password(url)};
  if (found.sweep == nullptr) found.sweep = remembered_sweep(found.record);
  return found;
}

std::string number_text(double value) { return std::isnan(value) ? "" : fmt::format("{:.6g}", value); }

/// Every parameter that some trial has, in the order of the sweep file where there is one.
std::vector<std::string> parameter_names(const Found& found) {
  std::vector<std::string> names;
  if (found.sweep != nullptr) {
    for (const auto& entry : found.sweep->space.entries) names.push_back(entry.name);
  }
  for (const Trial& trial : found.trials) {
    for (const sweep::Parameter& parameter : trial.parameters) {
      if (std::ranges::find(names, parameter.name) == names.end()) names.push_back(parameter.name);
    }
  }
  return names;
}

std::string value_text(const Trial& trial, const std::string& name) {
  const sweep::Parameter* parameter = trial.parameter(name);
  if (parameter == nullptr) return "";
  const Json value = parameter->external();
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? number_text(value.get<double>()) : value.dump();
}

Json to_json(const Trial& trial) {
  Json reports = Json::array(), parameters = Json::object();
  for (const sweep::Report& report : trial.reports) reports.push_back({report.step, report.value});
  for (const sweep::Parameter& parameter : trial.parameters) parameters[parameter.name] = parameter.external();
  return {{"number", trial.number},
          {"state", sweep::shown_state(trial)},
          {"values", trial.values},
          {"parameters", parameters},
          {"reports", reports},
          {"began", trial.began ? Json(*trial.began) : Json(nullptr)},
          {"ended", trial.ended ? Json(*trial.ended) : Json(nullptr)},
          {"user_attributes", trial.user_attributes},
          {"system_attributes", trial.system_attributes}};
}

std::vector<Row> table(const Found& found) {
  const auto objectives = found.objectives(), parameters = parameter_names(found);
  Row head{"TRIAL", "STATE"};
  head.insert(head.end(), objectives.begin(), objectives.end());
  head.push_back("STEP");
  head.insert(head.end(), parameters.begin(), parameters.end());
  head.push_back("TIME");
  head.push_back("");
  std::vector<Row> rows{head};
  for (const Trial& trial : found.trials) {
    Row row{std::to_string(trial.number), sweep::shown_state(trial)};
    for (std::size_t i = 0; i < objectives.size(); ++i) {
      const bool reported = i == 0 && trial.values.empty() && !trial.reports.empty();
      row.push_back(i < trial.values.size() ? number_text(trial.values[i])
                    : reported              ? number_text(trial.reports.back().value)
                                            : "");
    }
    row.push_back(trial.reports.empty() ? "" : std::to_string(trial.reports.back().step));
    for (const std::string& name : parameters) row.push_back(value_text(trial, name));
    row.push_back(trial.began && trial.ended ? log::duration(*trial.ended - *trial.began) : "");
    row.push_back(sweep::text_attribute(trial, sweep::kReason));
    rows.push_back(std::move(row));
  }
  return rows;
}

void show_status(const Arguments& arguments) {
  const Found found = find_study(arguments);
  if (arguments.json) {
    Json trials = Json::array();
    for (const Trial& trial : found.trials) trials.push_back(to_json(trial));
    fmt::print("{}\n", sweep::dump_json({{"name", found.record.name}, {"trials", trials}}));
    return;
  }
  std::map<std::string, int> counts;
  for (const Trial& trial : found.trials) ++counts[sweep::shown_state(trial)];
  fmt::print("{} in {}: {} trials", log::to_utf8(log::printable(found.record.name, true)), found.place,
             found.trials.size());
  for (const auto& [state, count] : counts) fmt::print(", {} {}", count, state);
  fmt::print("\n");
  if (found.sweep != nullptr && fs::exists(controller_file(*found.sweep))) {
    fmt::print("controller: {}\n", sweep::find_controller(controller_file(*found.sweep).string()).url);
  }
  print_table(table(found));
  const auto best = sweep::pareto_front(found.history());
  if (!best.empty()) fmt::print("best: trial{} {}\n", best.size() == 1 ? "" : "s", fmt::join(best, ", "));
}

const Trial& chosen_trial(const Found& found, std::int64_t wanted) {
  if (wanted >= 0) {
    if (wanted >= std::ssize(found.trials)) throw UsageError(fmt::format("there is no trial {}", wanted));
    return found.trials[static_cast<std::size_t>(wanted)];
  }
  const auto best = sweep::pareto_front(found.history());
  if (best.empty()) throw UsageError(fmt::format("{}: no trial is complete yet", found.record.name));
  if (best.size() > 1 && found.record.directions.size() > 1) {
    throw UsageError(fmt::format("{}: several objectives have no single best; --trial takes one of {}",
                                 found.record.name, fmt::join(best, ", ")));
  }
  return found.trials[static_cast<std::size_t>(best.front())];
}

void write_or_print(const fs::path& output, const std::string& text) {
  if (output.empty()) {
    fmt::print("{}", text);
  } else {
    files::write_atomically(output, text);
    fmt::print("{}\n", output.string());
  }
}

void show_best(const Arguments& arguments) {
  const Found found = find_study(arguments);
  const Trial& trial = chosen_trial(found, arguments.trial);
  if (arguments.json) return write_or_print(arguments.output, sweep::dump_json(to_json(trial)) + "\n");
  if (found.sweep == nullptr) {
    // A study of others has no experiment; what it found is all there is.
    std::string text = fmt::format("# trial {} of {}\n", trial.number, found.record.name);
    for (const sweep::Parameter& parameter : trial.parameters) {
      text += fmt::format("{}: {}\n", sweep::dump_json(parameter.name), sweep::dump_json(parameter.external()));
    }
    return write_or_print(arguments.output, text);
  }
  std::string values;
  for (const double value : trial.values) values += fmt::format("{}{:.6g}", values.empty() ? "" : ", ", value);
  write_or_print(arguments.output,
                 fmt::format("# trial {} of {}: {} {}\n{}", trial.number, found.record.name,
                             fmt::join(found.objectives(), ", "), values, experiment_of(*found.sweep, trial)));
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv(const Found& found) {
  const auto objectives = found.objectives(), parameters = parameter_names(found);
  Row head{"number", "state"};
  head.insert(head.end(), objectives.begin(), objectives.end());
  for (const std::string& name : parameters) head.push_back("params_" + name);
  head.insert(head.end(), {"last_step", "began", "ended", "reason"});
  std::string text;
  const auto add = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "," : "") + csv_cell(row[i]);
    text += "\r\n";  // RFC 4180
  };
  add(head);
  const auto exact = [](double value) { return fmt::format("{}", value); };
  for (const Trial& trial : found.trials) {
    Row row{std::to_string(trial.number), sweep::shown_state(trial)};
    for (std::size_t i = 0; i < objectives.size(); ++i) {
      row.push_back(i < trial.values.size() ? exact(trial.values[i]) : "");
    }
    for (const std::string& name : parameters) {
      const sweep::Parameter* parameter = trial.parameter(name);
      const Json value = parameter == nullptr ? Json("") : parameter->external();
      row.push_back(value.is_string() ? value.get<std::string>() : sweep::dump_json(value));
    }
    row.push_back(trial.reports.empty() ? "" : std::to_string(trial.reports.back().step));
    row.push_back(trial.began ? exact(*trial.began) : "");
    row.push_back(trial.ended ? exact(*trial.ended) : "");
    row.push_back(sweep::text_attribute(trial, sweep::kReason));
    add(row);
  }
  return text;
}

void export_study(const Arguments& arguments) {
  const Found found = find_study(arguments);
  if (arguments.format == "csv") return write_or_print(arguments.output, csv(found));
  Json trials = Json::array();
  for (const Trial& trial : found.trials) trials.push_back(to_json(trial));
  Json directions = Json::array();
  for (const sweep::Direction direction : found.record.directions) {
    directions.push_back(direction == sweep::Direction::kMinimize ? "minimize" : "maximize");
  }
  write_or_print(arguments.output, sweep::dump_json({{"name", found.record.name},
                                                     {"directions", directions},
                                                     {"metrics", found.objectives()},
                                                     {"user_attributes", found.record.user_attributes},
                                                     {"system_attributes", found.record.system_attributes},
                                                     {"trials", trials}}) +
                                       "\n");
}

void show_importance(const Arguments& arguments) {
  const Found found = find_study(arguments);
  if (arguments.objective >= found.record.directions.size()) {
    throw UsageError(fmt::format("--objective: there are {}, counted from 0", found.record.directions.size()));
  }
  const sweep::Importances all = sweep::importances(found.history(), arguments.objective);
  if (arguments.json) {
    Json parameters = Json::array();
    for (const auto& one : all.parameters) {
      parameters.push_back({{"name", one.name}, {"importance", one.importance}, {"deviation", one.deviation}});
    }
    fmt::print("{}\n", sweep::dump_json({{"parameters", parameters}, {"trials", all.trials}}));
    return;
  }
  std::vector<Row> rows{{"PARAMETER", "IMPORTANCE", ""}};
  for (const auto& one : all.parameters) {
    rows.push_back({one.name, fmt::format("{:.3f} ± {:.3f}", one.importance, one.deviation),
                    std::string(static_cast<std::size_t>(std::lround(40 * one.importance)), '#')});
  }
  print_table(rows);
  fmt::print("share of the variance of {} that each explains (fANOVA), from {} complete trials\n",
             found.objectives()[arguments.objective], all.trials);
}

void stop_sweep(const Arguments& arguments) {
  const Found found = find_study(arguments);
  const fs::path file = found.sweep == nullptr ? fs::path() : controller_file(*found.sweep);
  if (file.empty() || !fs::exists(file)) {
    throw UsageError(
        fmt::format("{}: no controller runs it here; 'etude jobs' shows trials that are under way", found.record.name));
  }
  sweep::Client(sweep::connection_to(sweep::find_controller(file.string()))).stop();
  fmt::print("{}: trials write a checkpoint and end; 'etude sweep run' goes on\n", found.record.name);
}

CLI::App* add_one(CLI::App& sweep, const char* name, const char* sentence, const std::shared_ptr<Arguments>& arguments,
                  void (*act)(const Arguments&)) {
  CLI::App* command = sweep.add_subcommand(name, sentence);
  command->add_option("study", arguments->study, "A sweep file, or the name of a study in --storage")
      ->required()
      ->type_name("STUDY");
  command
      ->add_option("--storage", arguments->storage,
                   "Where it is stored: sqlite:///sweep.db (default), postgresql://… or journal:///…")
      ->type_name("URL");
  command->callback([arguments, act] { act(*arguments); });
  return command;
}

}  // namespace

void add_study_commands(CLI::App& sweep) {
  const auto of = [] { return std::make_shared<Arguments>(); };

  auto of_status = of();
  CLI::App* status = add_one(sweep, "status", "A table of a study's trials", of_status, show_status);
  status->add_flag("--json", of_status->json, "As JSON");

  auto of_best = of();
  CLI::App* best =
      add_one(sweep, "best", "The best configuration, as an experiment ready to train", of_best, show_best);
  best->add_option("--trial", of_best->trial, "This trial instead of the best")->check(CLI::NonNegativeNumber);
  best->add_option("--output", of_best->output, "A file to write instead")->type_name("FILE");
  best->add_flag("--json", of_best->json, "The trial as JSON instead");

  auto of_export = of();
  CLI::App* exported = add_one(sweep, "export", "All trials, for other programs", of_export, export_study);
  exported->add_option("--format", of_export->format, "csv or json")->check(CLI::IsMember({"csv", "json"}));
  exported->add_option("--output", of_export->output, "A file to write instead")->type_name("FILE");

  auto of_importance = of();
  CLI::App* importance =
      add_one(sweep, "importance", "How much each parameter matters (fANOVA)", of_importance, show_importance);
  importance->add_option("--objective", of_importance->objective, "Which objective, counted from 0");
  importance->add_flag("--json", of_importance->json, "As JSON");

  add_one(sweep, "stop", "Have a running sweep's trials write a checkpoint and end", of(), stop_sweep);
}

}  // namespace etude::cli
