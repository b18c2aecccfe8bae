#include "sweep/storage/rdb_reader.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/storage/datetime.h"

namespace etude::sweep {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// A number as Optuna keeps it: infinite ones, and nan, by their type alone.
double number(const Database::Fields& fields) {
  const std::string& type = fields.kind.value;
  if (type == "FINITE" && !fields.value.empty()) return fields.value.value;
  if (type == "INF_POS") return kInfinity;
  if (type == "INF_NEG") return -kInfinity;
  if (type == "NAN") return kNothing;
  throw Error(fmt::format("a number is of type '{}'{}", type, fields.value.empty() ? " and empty" : ""));
}

std::optional<double> time(const Cell<std::string>& cell) {
  return cell.empty() ? std::nullopt : std::optional(read_time(cell.value, false));
}

// Whole tables are read as they lie; where only some trials are asked for, by the index. The sign keeps SQLite, which
// would otherwise look up each row of a whole table through it, off the index.
struct Table {
  const char* name;
  const char* all;
  const char* some;
};

#define ETUDE_BELONGINGS(columns, table)                                                           \
  {                                                                                                \
    table, "select trial_id, " columns " from " table " where +trial_id between :first and :last", \
        "select trial_id, " columns " from " table " where trial_id between :first and :last"      \
  }
constexpr Table kParameters = ETUDE_BELONGINGS("param_name, param_value, distribution_json", "trial_params");
constexpr Table kValues = ETUDE_BELONGINGS("objective, value, value_type", "trial_values");
constexpr Table kReports =
    ETUDE_BELONGINGS("step, intermediate_value, intermediate_value_type", "trial_intermediate_values");
constexpr Table kUserAttributes = ETUDE_BELONGINGS("\"key\", value_json", "trial_user_attributes");
constexpr Table kSystemAttributes = ETUDE_BELONGINGS("\"key\", value_json", "trial_system_attributes");
#undef ETUDE_BELONGINGS

}  // namespace

std::shared_ptr<const Distribution> DistributionPool::get(const std::string& json) {
  auto& known = known_[json];
  if (!known) known = std::make_shared<const Distribution>(Distribution::from_json(json));
  return known;
}

Trial* RdbReader::find(std::int64_t id) {
  for (std::size_t near = last_; near < std::min(last_ + 2, trials_.size()); ++near) {
    if (trials_[near].id == id) return &trials_[last_ = near];
  }
  const auto found = std::lower_bound(trials_.begin(), trials_.end(), id,
                                      [](const Trial& trial, std::int64_t wanted) { return trial.id < wanted; });
  if (found == trials_.end() || found->id != id) return nullptr;
  last_ = static_cast<std::size_t>(found - trials_.begin());
  return &*found;
}

template <typename Take>
void RdbReader::each(const char* table, const char* sql, std::initializer_list<const char*> into, const Take& take) {
  const Database::Fields& fields = database_.fields;
  database_.each(sql, into, [&] {
    Trial* const trial = find(fields.trial.value);
    if (trial == nullptr) return;  // of another study
    try {
      take(*trial);
    } catch (const Error& error) {
      throw Error(
          fmt::format("{}: damaged: table {}, trial {}: {}", database_.shown(), table, trial->number, error.what()));
    }
  });
}

void RdbReader::read_trials(std::int64_t study, std::int64_t from, std::int64_t to) {
  Database::Fields& fields = database_.fields;
  fields.study = study;
  fields.first = from;
  fields.last = to;
  database_.each(
      "select trial_id, number, state, datetime_start, datetime_complete from trials where study_id = :study and "
      "trial_id between :first and :last order by trial_id",
      {"trial", "number", "kind", "began", "ended"}, [&] {
        Trial trial;
        trial.id = fields.trial.value;
        try {
          if (fields.number.empty() || fields.number.value < 0) throw Error("it has no number");
          trial.number = fields.number.value;
          trial.state = state_of(fields.kind.value);
          trial.began = time(fields.began);
          trial.ended = time(fields.ended);
        } catch (const Error& error) {
          throw Error(
              fmt::format("{}: damaged: table trials, trial_id {}: {}", database_.shown(), trial.id, error.what()));
        }
        trials_.push_back(std::move(trial));
      });
}

void RdbReader::read_belongings(std::int64_t from, std::int64_t to, bool all) {
  Database::Fields& fields = database_.fields;
  const auto ask = [&](const Table& table, std::initializer_list<const char*> into, const auto& take) {
    fields.first = from;
    fields.last = to;
    each(table.name, all ? table.all : table.some, into, take);
  };
  ask(kParameters, {"trial", "name", "value", "text"}, [&](Trial& trial) {
    if (fields.name.empty() || fields.value.empty() || fields.text.empty()) throw Error("a parameter is incomplete");
    Parameter parameter{fields.name.value, fields.value.value, nullptr};
    try {
      parameter.distribution = distributions_.get(fields.text.value);
      if (parameter.distribution->is_categorical() && !parameter.distribution->contains(parameter.value)) {
        throw Error(fmt::format("there is no choice {}", parameter.value));
      }
    } catch (const Error& error) {
      throw Error(fmt::format("parameter '{}': {}", parameter.name, error.what()));
    }
    trial.set_parameter(std::move(parameter));
  });
  ask(kValues, {"trial", "place", "value", "kind"}, [&](Trial& trial) {
    constexpr long long kMostObjectives = 10'000;
    if (fields.place.value < 0 || fields.place.value >= kMostObjectives) {
      throw Error(fmt::format("there is no objective {}", fields.place.value));
    }
    const auto place = static_cast<std::size_t>(fields.place.value);
    if (trial.values.size() <= place) trial.values.resize(place + 1, kNothing);
    trial.values[place] = number(fields);
  });
  ask(kReports, {"trial", "place", "value", "kind"}, [&](Trial& trial) {
    trial.set_report({fields.place.value, number(fields)});
  });
  const auto attribute = [&](std::map<std::string, Json>& attributes) {
    try {
      attributes[fields.name.value] = parse_json(fields.text.value);
    } catch (const Error& error) {
      throw Error(fmt::format("attribute '{}': {}", fields.name.value, error.what()));
    }
  };
  ask(kUserAttributes, {"trial", "name", "text"}, [&](Trial& trial) { attribute(trial.user_attributes); });
  ask(kSystemAttributes, {"trial", "name", "text"}, [&](Trial& trial) { attribute(trial.system_attributes); });
}

std::vector<Trial> RdbReader::read(std::int64_t study, std::int64_t after, const std::vector<std::int64_t>& also) {
  trials_.clear();
  std::vector<std::int64_t> single;
  std::copy_if(also.begin(), also.end(), std::back_inserter(single), [&](std::int64_t id) { return id <= after; });
  std::sort(single.begin(), single.end());
  single.erase(std::unique(single.begin(), single.end()), single.end());
  for (const std::int64_t id : single) read_trials(study, id, id);
  const std::size_t before = trials_.size();
  read_trials(study, after + 1, std::numeric_limits<std::int32_t>::max());
  for (std::size_t i = 0; i < before; ++i) read_belongings(trials_[i].id, trials_[i].id, false);
  if (trials_.size() > before) read_belongings(trials_[before].id, trials_.back().id, after < 0);
  std::stable_sort(trials_.begin(), trials_.end(), [](const Trial& a, const Trial& b) { return a.number < b.number; });
  return std::move(trials_);
}

}  // namespace etude::sweep
