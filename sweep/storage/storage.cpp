#include "sweep/storage/storage.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/storage/changes.h"
#include "sweep/storage/journal_storage.h"
#include "sweep/storage/rdb_storage.h"
#include "sweep/storage/url.h"

namespace etude::sweep {
namespace {

void require_numbers(const std::vector<double>& values) {
  if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) {
    throw Error("an objective's value that is nan cannot be stored: such a trial FAILs");
  }
}

void require_distribution(const Parameter& parameter) {
  if (!parameter.distribution || !std::isfinite(parameter.value)) {
    throw Error(fmt::format("parameter '{}' has no distribution or no value, and cannot be stored", parameter.name));
  }
}

}  // namespace

void require_storable(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (const auto* const made = std::get_if<NewTrial>(&change)) {
      require_numbers(made->trial.values);
      for (const Parameter& parameter : made->trial.parameters) require_distribution(parameter);
    } else if (const auto* const state = std::get_if<StateChange>(&change)) {
      require_numbers(state->values);
    } else if (const auto* const parameter = std::get_if<NewParameter>(&change)) {
      require_distribution(parameter->parameter);
    }
  }
}

std::unique_ptr<Storage> open_storage(const std::string& url, bool create) {
  const StorageUrl where = StorageUrl::parse(url);
  if (where.kind == StorageUrl::Kind::kPostgresql) {
    return std::make_unique<RdbStorage>(open_postgresql(where.server), create);
  }
  // SQLite would make the file as soon as it is asked anything.
  if (!create && !std::filesystem::exists(where.file)) {
    throw UsageError(fmt::format("there is no '{}' to read studies from", where.file.string()));
  }
  if (where.kind == StorageUrl::Kind::kJournal) return std::make_unique<JournalStorage>(where.file, create);
  return std::make_unique<RdbStorage>(open_sqlite(where.file.string()), create);
}

}  // namespace etude::sweep
