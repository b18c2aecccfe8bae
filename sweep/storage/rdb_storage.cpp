#include "sweep/storage/rdb_storage.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/storage/changes.h"
#include "sweep/storage/datetime.h"
#include "sweep/storage/rdb_reader.h"
#include "sweep/storage/schema.h"

namespace etude::sweep {
namespace {

const char* name_of(Direction direction) { return direction == Direction::kMinimize ? "MINIMIZE" : "MAXIMIZE"; }

/// Writes changes within a transaction.
class Writer {
 public:
  Writer(Database& database, std::int64_t study) : database_(database), fields_(database.fields), study_(study) {}

  void operator()(NewTrial& change) {
    Trial& trial = change.trial;
    number(trial);
    fields_.study = study_;
    fields_.number = trial.number;
    fields_.kind = sweep::name_of(trial.state);
    set(fields_.began, trial.began);
    set(fields_.ended, trial.ended);
    database_.one(
        "insert into trials (number, study_id, state, datetime_start, datetime_complete) values (:number, :study, "
        ":kind, "
        ":began, :ended) returning trial_id",
        {"trial"});
    trial.id = fields_.trial.value;
    values(trial.values);
    for (const Parameter& parameter : trial.parameters) write(parameter);
    for (const Report& report : trial.reports) write(report);
    for (const auto& [key, value] : trial.user_attributes) attribute(false, key, value);
    for (const auto& [key, value] : trial.system_attributes) attribute(true, key, value);
  }

  void operator()(const StateChange& change) {
    fields_.trial = change.id;
    fields_.kind = sweep::name_of(change.state);
    set(fields_.began, change.began);
    set(fields_.ended, change.ended);
    const long long changed = database_.run(
        "update trials set state = :kind, datetime_start = coalesce(:began, datetime_start), "
        "datetime_complete = coalesce(:ended, datetime_complete) where trial_id = :trial");
    if (changed == 0) {
      throw Error(fmt::format("{}: there is no trial of id {} any more: somebody removed its study", database_.shown(),
                              change.id));
    }
    values(change.values);
  }

  void operator()(const NewParameter& change) {
    fields_.trial = change.id;
    write(change.parameter);
  }

  void operator()(const NewReport& change) {
    fields_.trial = change.id;
    write(change.report);
  }

  void operator()(const TrialAttribute& change) {
    fields_.trial = change.id;
    attribute(change.system, change.key, change.value);
  }

  void operator()(const StudyAttribute& change) {
    fields_.study = study_;
    fields_.name = change.key;
    if (change.value.is_discarded()) {
      database_.run(change.system ? R"(delete from study_system_attributes where study_id = :study and "key" = :name)"
                                  : R"(delete from study_user_attributes where study_id = :study and "key" = :name)");
      return;
    }
    fields_.text = dump_json(change.value);
    database_.run(
        change.system
            ? R"(insert into study_system_attributes (study_id, "key", value_json) values (:study, :name, :text)
                           on conflict (study_id, "key") do update set value_json = excluded.value_json)"
            : R"(insert into study_user_attributes (study_id, "key", value_json) values (:study, :name, :text)
                           on conflict (study_id, "key") do update set value_json = excluded.value_json)");
  }

 private:
  static void set(Cell<std::string>& cell, const std::optional<double>& time) {
    if (time) {
      cell = database_time(*time);
    } else {
      cell.clear();
    }
  }

  void set(double value) {
    fields_.kind = std::isnan(value) ? "NAN" : !std::isinf(value) ? "FINITE" : value > 0 ? "INF_POS" : "INF_NEG";
    fields_.value = value;
    if (!std::isfinite(value)) fields_.value.clear();
  }

  /// The next number. Optuna counts the trials before; since none is ever taken out alone, that is one more than the
  /// last has.
  void number(Trial& trial) {
    fields_.study = study_;
    if (next_ < 0) {
      database_.lock_numbers();
      next_ =
          database_.one("select number from trials where study_id = :study order by trial_id desc limit 1", {"number"})
              ? fields_.number.value + 1
              : 0;
    }
    trial.number = next_++;
  }

  void values(const std::vector<double>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      fields_.place = static_cast<long long>(i);
      set(all[i]);
      database_.run(
          "insert into trial_values (trial_id, objective, value, value_type) values (:trial, :place, :value, :kind) "
          "on conflict (trial_id, objective) do update set value = excluded.value, value_type = excluded.value_type");
    }
  }

  void write(const Parameter& parameter) {
    fields_.name = parameter.name;
    fields_.value = parameter.value;
    fields_.text = parameter.distribution->to_json();
    database_.run(
        "insert into trial_params (trial_id, param_name, param_value, distribution_json) values (:trial, :name, "
        ":value, "
        ":text) on conflict (trial_id, param_name) do update set param_value = excluded.param_value, "
        "distribution_json = excluded.distribution_json");
  }

  void write(const Report& report) {
    fields_.place = report.step;
    set(report.value);
    database_.run(
        "insert into trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) values "
        "(:trial, :place, :value, :kind) on conflict (trial_id, step) do update set "
        "intermediate_value = excluded.intermediate_value, "
        "intermediate_value_type = excluded.intermediate_value_type");
  }

  void attribute(bool system, const std::string& key, const Json& value) {
    fields_.name = key;
    if (value.is_discarded()) {
      database_.run(system ? R"(delete from trial_system_attributes where trial_id = :trial and "key" = :name)"
                           : R"(delete from trial_user_attributes where trial_id = :trial and "key" = :name)");
      return;
    }
    fields_.text = dump_json(value);
    database_.run(
        system ? R"(insert into trial_system_attributes (trial_id, "key", value_json) values (:trial, :name, :text)
                           on conflict (trial_id, "key") do update set value_json = excluded.value_json)"
               : R"(insert into trial_user_attributes (trial_id, "key", value_json) values (:trial, :name, :text)
                           on conflict (trial_id, "key") do update set value_json = excluded.value_json)");
  }

  Database& database_;
  Database::Fields& fields_;
  std::int64_t study_;
  std::int64_t next_ = -1;
};

/// A study's attributes or directions, into the records of all studies.
template <typename Take>
void each_of_studies(Database& database, std::vector<StudyRecord>& all, const char* sql,
                     std::initializer_list<const char*> into, const Take& take) {
  database.each(sql, into, [&] {
    const auto study = std::find_if(
        all.begin(), all.end(), [&](const StudyRecord& record) { return record.id == database.fields.study.value; });
    if (study == all.end()) return;
    try {
      take(*study);
    } catch (const Error& error) {
      throw Error(fmt::format("{}: damaged: study '{}': {}", database.shown(), study->name, error.what()));
    }
  });
}

std::vector<StudyRecord> read_studies(Database& database) {
  const Database::Fields& fields = database.fields;
  std::vector<StudyRecord> all;
  database.each("select study_id, study_name from studies order by study_id", {"study", "name"}, [&] {
    StudyRecord record;
    record.id = fields.study.value;
    record.name = fields.name.value;
    all.push_back(std::move(record));
  });
  each_of_studies(database, all, "select study_id, direction from study_directions order by study_id, objective",
                  {"study", "kind"}, [&](StudyRecord& study) {
                    const std::string& word = fields.kind.value;
                    if (word == "NOT_SET") throw Error("it was made without a direction");
                    if (word != "MINIMIZE" && word != "MAXIMIZE") {
                      throw Error(fmt::format("'{}' is no direction", word));
                    }
                    study.directions.push_back(word == "MINIMIZE" ? Direction::kMinimize : Direction::kMaximize);
                  });
  each_of_studies(
      database, all, R"(select study_id, "key", value_json from study_user_attributes)", {"study", "name", "text"},
      [&](StudyRecord& study) { study.user_attributes[fields.name.value] = parse_json(fields.text.value); });
  each_of_studies(
      database, all, R"(select study_id, "key", value_json from study_system_attributes)", {"study", "name", "text"},
      [&](StudyRecord& study) { study.system_attributes[fields.name.value] = parse_json(fields.text.value); });
  return all;
}

std::optional<StudyRecord> find_study(Database& database, const std::string& name) {
  for (StudyRecord& study : read_studies(database)) {
    if (study.name == name) return std::move(study);
  }
  return std::nullopt;
}

}  // namespace

RdbStorage::RdbStorage(std::unique_ptr<Database> database, bool create) : database_(std::move(database)) {
  check_schema(*database_, create);
  database_->written_by_others();
}

std::vector<StudyRecord> RdbStorage::studies() {
  std::vector<StudyRecord> all;
  database_->read([&] { all = read_studies(*database_); });
  return all;
}

std::optional<StudyRecord> RdbStorage::find(const std::string& name) {
  std::optional<StudyRecord> found;
  database_->read([&] { found = find_study(*database_, name); });
  return found;
}

StudyRecord RdbStorage::create(const std::string& name, const std::vector<Direction>& directions) {
  Database::Fields& fields = database_->fields;
  StudyRecord record;
  record.name = name;
  record.directions = directions;
  database_->survive_power_loss(true);
  database_->write([&] {
    fields.name = name;
    const bool made = database_->one(
        "insert into studies (study_name) values (:name) on conflict (study_name) do nothing returning study_id",
        {"study"});
    if (!made) throw UsageError(fmt::format("{}: there is a study '{}' already", database_->shown(), name));
    record.id = fields.study.value;
    for (std::size_t i = 0; i < directions.size(); ++i) {
      fields.kind = name_of(directions[i]);
      fields.place = static_cast<long long>(i);
      database_->run("insert into study_directions (direction, study_id, objective) values (:kind, :study, :place)");
    }
  });
  return record;
}

std::vector<Trial> RdbStorage::load(std::int64_t study, std::int64_t after, const std::vector<std::int64_t>& also) {
  std::vector<Trial> trials;
  database_->read([&] { trials = RdbReader(*database_).read(study, after, also); });
  return trials;
}

void RdbStorage::apply(std::int64_t study, std::vector<Change>& changes) {
  if (changes.empty()) return;
  require_storable(changes);
  // Of a failure of power, reports may be a casualty: more of them will come. Who runs and how trials ended is not.
  const bool reports_only = std::all_of(changes.begin(), changes.end(),
                                        [](const Change& change) { return std::holds_alternative<NewReport>(change); });
  database_->survive_power_loss(!reports_only);
  try {
    database_->write([&] {
      Writer writer(*database_, study);
      for (Change& change : changes) std::visit(writer, change);
    });
  } catch (...) {
    for (Change& change : changes) {
      if (auto* const made = std::get_if<NewTrial>(&change)) made->trial.id = -1;
    }
    throw;
  }
}

void RdbStorage::claim(const StudyRecord& study) { database_->claim(study.id, study.name); }

}  // namespace etude::sweep
