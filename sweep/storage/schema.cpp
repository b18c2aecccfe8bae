#include "sweep/storage/schema.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

constexpr std::string_view kRevision = "v3.2.0.a";  ///< alembic's, of Optuna 3.2 to 5.0
constexpr long long kSchema = 12;
/// The release whose conventions we keep (times in UTC); Optuna only quotes it, where it complains of a schema.
constexpr const char* kRelease = "5.0.0";

constexpr std::array<std::string_view, 9> kEarlier{"v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a",
                                                   "v3.0.0.a", "v3.0.0.b", "v3.0.0.c", "v3.0.0.d"};

/// Whether the tables are there. Throws where they are another version's.
bool has_known_tables(Database& database) {
  if (!database.has_table("studies")) return false;
  std::string revision;
  if (database.has_table("alembic_version") && database.one("select version_num from alembic_version", {"text"}) &&
      !database.fields.text.empty()) {
    revision = database.fields.text.value;
  }
  if (revision == kRevision) return true;
  const std::string what =
      fmt::format("{}: its schema is Optuna's {}, and Etude knows {} (Optuna 3.2 to 5.0)", database.shown(),
                  revision.empty() ? "of before 1.0" : "'" + revision + "'", kRevision);
  const bool earlier = revision.empty() || std::find(kEarlier.begin(), kEarlier.end(), revision) != kEarlier.end();
  throw UsageError(what + (earlier ? ": bring it up to date with 'optuna storage upgrade --storage URL'"
                                   : ": a newer Optuna made it; take a newer Etude, or another file"));
}

}  // namespace

const char* sqlite_tables() {
  return R"(
create table studies (study_id INTEGER NOT NULL, study_name VARCHAR(512) NOT NULL, PRIMARY KEY (study_id));
create unique index ix_studies_study_name on studies (study_name);
create table version_info (version_info_id INTEGER NOT NULL, schema_version INTEGER, library_version VARCHAR(256),
  PRIMARY KEY (version_info_id), CHECK (version_info_id=1));
create table study_directions (study_direction_id INTEGER NOT NULL, direction VARCHAR(8) NOT NULL,
  study_id INTEGER NOT NULL, objective INTEGER NOT NULL, PRIMARY KEY (study_direction_id),
  UNIQUE (study_id, objective), FOREIGN KEY(study_id) REFERENCES studies (study_id));
create table study_user_attributes (study_user_attribute_id INTEGER NOT NULL, study_id INTEGER, "key" VARCHAR(512),
  value_json TEXT, PRIMARY KEY (study_user_attribute_id), UNIQUE (study_id, "key"),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
create table study_system_attributes (study_system_attribute_id INTEGER NOT NULL, study_id INTEGER,
  "key" VARCHAR(512), value_json TEXT, PRIMARY KEY (study_system_attribute_id), UNIQUE (study_id, "key"),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
create table trials (trial_id INTEGER NOT NULL, number INTEGER, study_id INTEGER, state VARCHAR(8) NOT NULL,
  datetime_start DATETIME, datetime_complete DATETIME, PRIMARY KEY (trial_id),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
create index ix_trials_study_id on trials (study_id);
create table trial_user_attributes (trial_user_attribute_id INTEGER NOT NULL, trial_id INTEGER, "key" VARCHAR(512),
  value_json TEXT, PRIMARY KEY (trial_user_attribute_id), UNIQUE (trial_id, "key"),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_system_attributes (trial_system_attribute_id INTEGER NOT NULL, trial_id INTEGER,
  "key" VARCHAR(512), value_json TEXT, PRIMARY KEY (trial_system_attribute_id), UNIQUE (trial_id, "key"),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_params (param_id INTEGER NOT NULL, trial_id INTEGER, param_name VARCHAR(512), param_value FLOAT,
  distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE (trial_id, param_name),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_values (trial_value_id INTEGER NOT NULL, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL,
  value FLOAT, value_type VARCHAR(7) NOT NULL, PRIMARY KEY (trial_value_id), UNIQUE (trial_id, objective),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_intermediate_values (trial_intermediate_value_id INTEGER NOT NULL, trial_id INTEGER NOT NULL,
  step INTEGER NOT NULL, intermediate_value FLOAT, intermediate_value_type VARCHAR(7) NOT NULL,
  PRIMARY KEY (trial_intermediate_value_id), UNIQUE (trial_id, step),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_heartbeats (trial_heartbeat_id INTEGER NOT NULL, trial_id INTEGER NOT NULL,
  heartbeat DATETIME NOT NULL, PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table alembic_version (version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)))";
}

const char* postgresql_tables() {
  return R"(
create type studydirection as enum ('NOT_SET', 'MINIMIZE', 'MAXIMIZE');
create type trialstate as enum ('RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING');
create type trialvaluetype as enum ('FINITE', 'INF_POS', 'INF_NEG');
create type trialintermediatevaluetype as enum ('FINITE', 'INF_POS', 'INF_NEG', 'NAN');
create table studies (study_id SERIAL NOT NULL, study_name VARCHAR(512) NOT NULL, PRIMARY KEY (study_id));
create unique index ix_studies_study_name on studies (study_name);
create table version_info (version_info_id INTEGER NOT NULL, schema_version INTEGER, library_version VARCHAR(256),
  PRIMARY KEY (version_info_id), CHECK (version_info_id=1));
create table study_directions (study_direction_id SERIAL NOT NULL, direction studydirection NOT NULL,
  study_id INTEGER NOT NULL, objective INTEGER NOT NULL, PRIMARY KEY (study_direction_id),
  UNIQUE (study_id, objective), FOREIGN KEY(study_id) REFERENCES studies (study_id));
create table study_user_attributes (study_user_attribute_id SERIAL NOT NULL, study_id INTEGER, "key" VARCHAR(512),
  value_json TEXT, PRIMARY KEY (study_user_attribute_id), UNIQUE (study_id, "key"),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
create table study_system_attributes (study_system_attribute_id SERIAL NOT NULL, study_id INTEGER,
  "key" VARCHAR(512), value_json TEXT, PRIMARY KEY (study_system_attribute_id), UNIQUE (study_id, "key"),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
create table trials (trial_id SERIAL NOT NULL, number INTEGER, study_id INTEGER, state trialstate NOT NULL,
  datetime_start TIMESTAMP WITHOUT TIME ZONE, datetime_complete TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY (trial_id),
  FOREIGN KEY(study_id) REFERENCES studies (study_id));
create index ix_trials_study_id on trials (study_id);
create table trial_user_attributes (trial_user_attribute_id SERIAL NOT NULL, trial_id INTEGER, "key" VARCHAR(512),
  value_json TEXT, PRIMARY KEY (trial_user_attribute_id), UNIQUE (trial_id, "key"),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_system_attributes (trial_system_attribute_id SERIAL NOT NULL, trial_id INTEGER,
  "key" VARCHAR(512), value_json TEXT, PRIMARY KEY (trial_system_attribute_id), UNIQUE (trial_id, "key"),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_params (param_id SERIAL NOT NULL, trial_id INTEGER, param_name VARCHAR(512),
  param_value FLOAT(53), distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE (trial_id, param_name),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_values (trial_value_id SERIAL NOT NULL, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL,
  value FLOAT(53), value_type trialvaluetype NOT NULL, PRIMARY KEY (trial_value_id), UNIQUE (trial_id, objective),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_intermediate_values (trial_intermediate_value_id SERIAL NOT NULL, trial_id INTEGER NOT NULL,
  step INTEGER NOT NULL, intermediate_value FLOAT(53), intermediate_value_type trialintermediatevaluetype NOT NULL,
  PRIMARY KEY (trial_intermediate_value_id), UNIQUE (trial_id, step),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table trial_heartbeats (trial_heartbeat_id SERIAL NOT NULL, trial_id INTEGER NOT NULL,
  heartbeat TIMESTAMP WITHOUT TIME ZONE NOT NULL, PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id),
  FOREIGN KEY(trial_id) REFERENCES trials (trial_id));
create table alembic_version (version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)))";
}

void check_schema(Database& database, bool create) {
  bool there = false;
  database.read([&] { there = has_known_tables(database); });
  if (there) return;
  if (!create) {
    throw UsageError(fmt::format("{} holds no studies of Optuna's or Etude's", database.shown()));
  }
  database.write([&] {
    if (has_known_tables(database)) return;  // somebody was faster
    std::string_view rest = database.create_tables();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      database.run(std::string(rest.substr(0, end)).c_str());
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    database.fields.number = kSchema;
    database.fields.text = kRelease;
    database.run(
        "insert into version_info (version_info_id, schema_version, library_version) values (1, :number, :text)");
    database.fields.text = std::string(kRevision);
    database.run("insert into alembic_version (version_num) values (:text)");
  });
}

}  // namespace etude::sweep
