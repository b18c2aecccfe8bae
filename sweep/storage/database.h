#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>

#include "sweep/storage/soci.h"

namespace etude::sweep {

/// What a column holds; `is` tells whether it is NULL.
template <typename Value>
struct Cell {
  Value value{};
  soci::indicator is = soci::i_ok;

  void operator=(Value given) {
    value = std::move(given);
    is = soci::i_ok;
  }
  void clear() { is = soci::i_null; }
  bool empty() const { return is == soci::i_null; }
};

/// A database of Optuna's schema, whichever program keeps it: its statements, each prepared once, its transactions, and
/// what the programs do differently. Everything throws Error that names the place, and never a password.
class Database {
 public:
  /// What statements take and give: ":trial" in their text is `trial` here.
  struct Fields {
    Cell<long long> study, trial, number, place, first, last;
    Cell<double> value;
    Cell<std::string> name, text, kind, began, ended;
  };

  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Fields fields;

  /// Runs a statement that gives no rows, with what stands in the fields. Returns how many rows it changed.
  long long run(const char* sql);
  /// Runs a statement and calls `row` for each row that it gives, its columns being in the fields named by `into`.
  void each(const char* sql, std::initializer_list<const char*> into, const std::function<void()>& row);
  /// The same for a statement that gives one row or none: whether there was one.
  bool one(const char* sql, std::initializer_list<const char*> into);

  /// Everything that `work` does, or nothing where it throws; nobody else writes meanwhile.
  void write(const std::function<void()>& work);
  /// `work` sees everything as it is at one moment.
  void read(const std::function<void()>& work);

  /// What the transaction to come is to survive besides the end of this process: a failure of power as well, or not.
  virtual void survive_power_loss(bool) {}
  /// Others that number trials of this study wait until the transaction ends.
  virtual void lock_numbers() = 0;
  virtual bool written_by_others() = 0;
  /// Throws UsageError naming who holds the study.
  virtual void claim(long long study, const std::string& name) = 0;

  virtual const char* create_tables() const = 0;
  virtual bool has_table(const std::string& name) = 0;
  /// The file, or the URL without its password.
  virtual std::string shown() const = 0;

 protected:
  Database() = default;

  /// A connection is there when this returns.
  virtual void connected() = 0;
  virtual void begin_writing() = 0;
  virtual void begin_reading() = 0;
  virtual void commit() { raw("commit"); }
  /// After a failure that `what` tells of: throws Error. `sqlite_code` aside, the same for all.
  [[noreturn]] virtual void fail(const soci::soci_error& error) = 0;

  void raw(const std::string& sql) { *session_ << sql; }
  void forget_statements() { statements_.clear(); }

  std::unique_ptr<soci::session> session_;

 private:
  void transaction(const std::function<void()>& begin, const std::function<void()>& work);
  soci::statement& statement(const char* sql, std::initializer_list<const char*> into);
  /// Calls `work`, turning what SOCI throws into Error.
  void guarded(const std::function<void()>& work);

  std::map<std::string, std::unique_ptr<soci::statement>, std::less<>> statements_;
};

std::unique_ptr<Database> open_sqlite(const std::string& file);
/// `url` as libpq takes it.
std::unique_ptr<Database> open_postgresql(const std::string& url);

}  // namespace etude::sweep
