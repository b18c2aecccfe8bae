#pragma once

#include <string>

#include "sweep/storage/database.h"

namespace etude::sweep {

/// Optuna's tables as its releases 3.2 to 5.0 make them, to the letter.
const char* sqlite_tables();
const char* postgresql_tables();

/// Sees that the database has Optuna's tables of the version that we know. Makes them where there are none and `create`
/// says so; else throws UsageError, and has written nothing.
void check_schema(Database& database, bool create);

}  // namespace etude::sweep
