#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>

#include "framework/config/error.h"
#include "sweep/storage/claim.h"
#include "sweep/storage/database.h"
#include "sweep/storage/schema.h"
#include "sweep/storage/soci.h"
#include "sweep/storage/storage.h"
#include "sweep/storage/url.h"

namespace etude::sweep {
namespace {

/// Advisory locks have two numbers; the first says that they are ours, the second is the study.
constexpr long long kOurs = 0x45545544;  // "ETUD"

class Postgresql : public Database {
 public:
  explicit Postgresql(const std::string& url) : url_(url) {}

  void lock_numbers() override {
    // As Optuna does: whoever numbers a trial holds the study's row.
    one("select study_id from studies where study_id = :study for update", {"last"});
  }

  bool written_by_others() override {
    bool written = true;
    read([&] { written = look(); });
    return written;
  }

  void claim(long long study, const std::string& name) override {
    read([&] { take(study, name); });
    claims_[study] = name;
  }

  const char* create_tables() const override { return postgresql_tables(); }

  bool has_table(const std::string& name) override {
    fields.name = name;
    return one("select tablename from pg_tables where schemaname = any (current_schemas(false)) and tablename = :name",
               {"text"});
  }

  std::string shown() const override { return without_password(url_); }

 protected:
  void connected() override {
    if (session_ && PQstatus(connection()) == CONNECTION_OK) return;
    forget_statements();
    session_.reset();
    session_ = std::make_unique<soci::session>(soci::postgresql, url_);
    raw("set client_encoding = 'UTF8'");
    raw("set client_min_messages = warning");
    raw("set lock_timeout = '60s'");
    std::string who = "etude on " + this_process();
    std::replace(who.begin(), who.end(), '\'', ' ');
    raw("set application_name = '" + who + "'");
    // The server let go of the claims together with the connection.
    for (const auto& [study, name] : claims_) take(study, name);
  }

  void begin_writing() override {
    raw("begin");
    writing_ = true;
  }
  void begin_reading() override {
    raw("begin isolation level repeatable read read only");
    writing_ = false;
  }
  void commit() override {
    raw("commit");
    if (writing_) ++own_;
  }

  [[noreturn]] void fail(const soci::soci_error& error) override {
    const bool lost = !session_ || PQstatus(connection()) != CONNECTION_OK;
    std::string reason = error.get_error_message();
    reason.erase(reason.find_last_not_of(" \n.") + 1);
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw Error(struck_out(
        fmt::format("{}: {}{}", shown(), reason, lost ? ": see that the server runs; it is asked anew next time" : ""),
        url_));
  }

 private:
  PGconn* connection() { return static_cast<soci::postgresql_session_backend*>(session_->get_backend())->conn_; }

  /// Whether there may be transactions of others that the last look did not see. The server's snapshot reads
  /// "first in progress:next:in progress,…": each writer takes the next number, so that nothing was written by others
  /// when none is in progress and only ours were given out.
  bool look() {
    one("select cast(txid_current_snapshot() as text)", {"text"});
    const std::string snapshot = fields.text.value;
    const std::size_t first = snapshot.find(':'), second = snapshot.find(':', first + 1);
    if (second == std::string::npos) return true;
    const long long next = std::stoll(snapshot.substr(first + 1));
    const bool quiet = second + 1 == snapshot.size();
    const bool same = quiet && quiet_before_ && next <= next_before_ + own_;
    next_before_ = next;
    quiet_before_ = quiet;
    own_ = 0;
    return !same;
  }

  void take(long long study, const std::string& name) {
    fields.number = kOurs;
    fields.study = study;
    one("select cast(pg_try_advisory_lock(cast(:number as integer), cast(:study as integer)) as integer)", {"last"});
    if (fields.last.value != 0) return;
    fields.text = "another connection";
    one("select activity.application_name from pg_locks locks join pg_stat_activity activity using (pid)"
        " where locks.locktype = 'advisory' and locks.granted and locks.database = (select oid from pg_database"
        " where datname = current_database()) and cast(locks.classid as bigint) = :number"
        " and cast(locks.objid as bigint) = :study limit 1",
        {"text"});
    throw UsageError(
        fmt::format("{}: study '{}' is being run already, by {}: one controller writes a study; stop that "
                    "one first",
                    shown(), name, fields.text.value));
  }

  std::string url_;
  std::map<long long, std::string> claims_;  ///< names of the studies
  long long next_before_ = 0, own_ = 0;
  bool quiet_before_ = false, writing_ = false;
};

}  // namespace

std::unique_ptr<Database> open_postgresql(const std::string& url) { return std::make_unique<Postgresql>(url); }

}  // namespace etude::sweep
