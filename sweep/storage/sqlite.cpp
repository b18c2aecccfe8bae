#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "framework/config/error.h"
#include "sweep/storage/claim.h"
#include "sweep/storage/database.h"
#include "sweep/storage/network_disk.h"
#include "sweep/storage/schema.h"
#include "sweep/storage/soci.h"

namespace etude::sweep {
namespace {

class Sqlite : public Database {
 public:
  explicit Sqlite(const std::string& file) : file_(file) {}

  void survive_power_loss(bool wanted) override { durable_ = wanted; }

  void lock_numbers() override {}  // writers exclude each other anyway

  bool written_by_others() override {
    connected();
    one("pragma data_version", {"number"});
    const long long version = fields.number.value, before = seen_;
    seen_ = version;
    return version != before;
  }

  void claim(long long study, const std::string& name) override {
    if (!claims_.contains(study)) {
      claims_[study] =
          std::make_unique<FileClaim>(claim_file(file_, study), fmt::format("{}: study '{}'", file_, name));
    }
  }

  const char* create_tables() const override { return sqlite_tables(); }

  bool has_table(const std::string& name) override {
    connected();
    fields.name = name;
    return one("select name from sqlite_master where type = 'table' and name = :name", {"text"});
  }

  std::string shown() const override { return file_; }

 protected:
  void connected() override {
    if (session_) return;
    // In quotes, since SOCI takes the name apart at blanks.
    session_ = std::make_unique<soci::session>(soci::sqlite3, fmt::format("dbname=\"{}\"", file_));
    raw("pragma busy_timeout = 60000");
    one("pragma data_version", {"number"});
    seen_ = fields.number.value;
  }

  void begin_writing() override {
    if (!prepared_) prepare();
    // A write-ahead log needs no sync to outlive a process. What is to outlive a failure of power as well is synced,
    // and everything before it with it; a rollback journal is synced always, or such a failure would leave a damaged
    // file.
    if (write_ahead_ && durable_ != synced_) {
      raw(durable_ ? "pragma synchronous = full" : "pragma synchronous = normal");
      synced_ = durable_;
    }
    run("begin immediate");
  }
  void begin_reading() override { run("begin"); }
  void commit() override { run("commit"); }

  [[noreturn]] void fail(const soci::soci_error& error) override {
    using namespace sqlite_api;
    const auto* const told = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    const int code = told != nullptr ? told->result() : SQLITE_ERROR;
    std::string reason = error.get_error_message();
    if (reason.starts_with("sqlite3_")) reason.erase(0, reason.find(": ") + 2);  // a function of SOCI's
    static const std::map<int, const char*> kWaysOut{
        {SQLITE_FULL, "its disk is full: nothing was changed; make room and try again"},
        {SQLITE_IOERR, "its disk fails or is full: nothing was changed; make room and try again"},
        {SQLITE_BUSY, "another program has kept it locked for a minute: end that one, or try again"},
        {SQLITE_CORRUPT, "the file is damaged: take its last copy, or save what there is with sqlite3's '.recover'"},
        {SQLITE_NOTADB, "the file is no SQLite database, or damaged at its beginning"},
        {SQLITE_READONLY, "the file or its folder may not be written"},
        {SQLITE_CANTOPEN, "the file cannot be opened: see that its folder exists and may be written"},
    };
    const auto way_out = kWaysOut.find(code & 0xff);
    throw Error(
        fmt::format("{}: {} ({})", file_, way_out == kWaysOut.end() ? "SQLite failed" : way_out->second, reason));
  }

 private:
  /// Chooses how changes are kept, once somebody writes: who only looks leaves the file as it is.
  void prepare() {
    // A write-ahead log lets others read on while we write, and costs one write where a rollback journal costs several
    // syncs. It needs memory that all its users share, which there is none of across a network.
    const bool network = is_network_disk(file_);
    fields.text.clear();
    one(network ? "pragma journal_mode = delete" : "pragma journal_mode = wal", {"text"});
    write_ahead_ = fields.text.value == "wal";
    if (network) {
      fmt::print(stderr,
                 "{} is on a network disk: SQLite goes on without a write-ahead log there, more slowly, and is only as "
                 "safe as that disk's locks. For workers on several machines use PostgreSQL or a journal.\n",
                 file_);
    }
    prepared_ = true;
  }

  std::string file_;
  std::map<long long, std::unique_ptr<FileClaim>> claims_;
  long long seen_ = 0;
  bool prepared_ = false, write_ahead_ = false;
  bool durable_ = true;
  bool synced_ = true;  ///< SQLite's default
};

}  // namespace

std::unique_ptr<Database> open_sqlite(const std::string& file) { return std::make_unique<Sqlite>(file); }

}  // namespace etude::sweep
