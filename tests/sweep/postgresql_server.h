#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include <sys/types.h>
#include <unistd.h>

#include "tests/support/oracle.h"

namespace etude::testing {

/// The folder of PostgreSQL's server programs, or nothing where they are not installed.
inline std::optional<std::filesystem::path> postgresql_programs() {
  std::error_code none;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    if (std::filesystem::exists(version.path() / "bin" / "initdb")) return version.path() / "bin";
  }
  return std::nullopt;
}

/// A PostgreSQL of its own that listens on a socket in a temporary folder and nowhere else; ends with the object, and
/// with this process however that ends.
class PostgresqlServer {
 public:
  PostgresqlServer() {
    const std::string data = (folder_.path() / "data").string(), programs = postgresql_programs().value().string();
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    need("'" + programs + "/initdb' -D " + data + " -U tester -A scram-sha-256 -N --pwfile=<(echo " + kPassword + ")");
    start();
  }
  ~PostgresqlServer() { stop(); }

  void start() {
    const std::string data = (folder_.path() / "data").string(), programs = postgresql_programs().value().string();
    need("'" + programs + "/pg_ctl' -D " + data + " -w -t 60 -l " + data +
         "/log -o \"-c listen_addresses= -c fsync=off -k " + folder_.path().string() + "\" start");
    // Whatever becomes of the test, the server does not outlive it.
    need("(while [ -d /proc/" + std::to_string(getpid()) + " ]; do sleep 1; done; '" + programs + "/pg_ctl' -D " +
         data + " -m immediate stop) >&- 2>&- &");
  }
  void stop() {
    const std::string data = (folder_.path() / "data").string();
    as_nobody("'" + postgresql_programs().value().string() + "/pg_ctl' -D " + data + " -w -m immediate stop");
  }

  /// Plain, so that it is the same in a URL and in a file.
  static constexpr const char* kPassword = "Geheimwort7";

  /// The same database for Python (`driver` "+psycopg2") and for us.
  std::string url(const std::string& driver = "", const std::string& database = "postgres") const {
    return "postgresql" + driver + "://tester:" + kPassword + "@/" + database + "?host=" + folder_.path().string();
  }

  void make_database(const std::string& name) {
    as_nobody("PGPASSWORD='" + std::string(kPassword) + "' '" + postgresql_programs().value().string() +
              "/createdb' -h " + folder_.path().string() + " -U tester " + name);
  }

 private:
  /// A server refuses to run as root.
  static ShellResult as_nobody(const std::string& command) {
    if (getuid() != 0) return run_shell("bash -c \"$(cat <<'END'\n" + command + "\nEND\n)\"");
    return run_shell("cd / && setpriv --reuid=nobody --regid=nogroup --clear-groups bash -c \"$(cat <<'END'\n" +
                     command + "\nEND\n)\"");
  }
  static void need(const std::string& command) {
    const ShellResult result = as_nobody(command);
    if (result.exit_code != 0) throw std::runtime_error(command + "\n" + result.output + result.errors);
  }

  TemporaryFolder folder_;
};

}  // namespace etude::testing
