#pragma once

#include <filesystem>
#include <string>

namespace etude::sweep {

/// Where a storage is, as Optuna and SQLAlchemy write it.
struct StorageUrl {
  enum class Kind { kSqlite, kPostgresql, kJournal };

  Kind kind = Kind::kSqlite;
  std::filesystem::path file;  ///< of SQLite or a journal
  std::string server;          ///< "postgresql://user:password@host/database", as libpq takes it
  std::string shown;           ///< what may be told of it: the file, or the URL without its password

  /// Throws UsageError.
  static StorageUrl parse(const std::string& url);
};

/// `text` with every password of the URL struck out.
std::string struck_out(std::string text, const std::string& url);

}  // namespace etude::sweep
