#include "sweep/storage/database.h"

#include <cctype>
#include <set>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

/// Calls `bind` with the field of that name.
template <typename Bind>
void with_field(Database::Fields& fields, std::string_view name, const Bind& bind) {
  if (name == "study") return bind(fields.study);
  if (name == "trial") return bind(fields.trial);
  if (name == "number") return bind(fields.number);
  if (name == "place") return bind(fields.place);
  if (name == "first") return bind(fields.first);
  if (name == "last") return bind(fields.last);
  if (name == "value") return bind(fields.value);
  if (name == "name") return bind(fields.name);
  if (name == "text") return bind(fields.text);
  if (name == "kind") return bind(fields.kind);
  if (name == "began") return bind(fields.began);
  if (name == "ended") return bind(fields.ended);
  throw std::logic_error(fmt::format("no field of a statement is named '{}'", name));
}

/// The words after ':' in a statement.
std::set<std::string> parameters(std::string_view sql) {
  std::set<std::string> names;
  for (std::size_t at = 0; (at = sql.find(':', at)) != std::string_view::npos;) {
    const std::size_t begin = ++at;
    while (at < sql.size() && std::isalpha(static_cast<unsigned char>(sql[at])) != 0) ++at;
    names.emplace(sql.substr(begin, at - begin));
  }
  return names;
}

}  // namespace

soci::statement& Database::statement(const char* sql, std::initializer_list<const char*> into) {
  const auto known = statements_.find(std::string_view(sql));
  if (known != statements_.end()) return *known->second;
  if (!session_) connected();
  auto made = std::make_unique<soci::statement>(*session_);
  for (const char* name : into) {
    with_field(fields, name, [&](auto& cell) { made->exchange(soci::into(cell.value, cell.is)); });
  }
  for (const std::string& name : parameters(sql)) {
    with_field(fields, name, [&](auto& cell) { made->exchange(soci::use(cell.value, cell.is, name)); });
  }
  made->alloc();
  made->prepare(sql);
  made->define_and_bind();
  return *statements_.emplace(sql, std::move(made)).first->second;
}

void Database::guarded(const std::function<void()>& work) {
  try {
    work();
  } catch (const soci::soci_error& error) {
    forget_statements();  // one that is half done would keep its locks
    fail(error);
  } catch (...) {
    forget_statements();
    throw;
  }
}

long long Database::run(const char* sql) {
  long long changed = 0;
  guarded([&] {
    soci::statement& prepared = statement(sql, {});
    prepared.execute(true);
    changed = prepared.get_affected_rows();
  });
  return changed;
}

void Database::each(const char* sql, std::initializer_list<const char*> into, const std::function<void()>& row) {
  guarded([&] {
    soci::statement& prepared = statement(sql, into);
    prepared.execute(false);
    while (prepared.fetch()) row();
  });
}

bool Database::one(const char* sql, std::initializer_list<const char*> into) {
  bool found = false;
  guarded([&] {
    soci::statement& prepared = statement(sql, into);
    prepared.execute(false);
    found = prepared.fetch();
    // A statement that has not come to its end keeps its locks.
    if (found && prepared.fetch())
      throw Error(fmt::format("{}: damaged: there is more than one row for: {}", shown(), sql));
  });
  return found;
}

void Database::transaction(const std::function<void()>& begin, const std::function<void()>& work) {
  guarded([&] {
    connected();
    begin();
  });
  try {
    work();
    guarded([&] { commit(); });
  } catch (...) {
    try {
      raw("rollback");
    } catch (const soci::soci_error&) {
      // It is rolled back already (disk full, connection gone).
    }
    throw;
  }
}

void Database::write(const std::function<void()>& work) {
  transaction([&] { begin_writing(); }, work);
}

void Database::read(const std::function<void()>& work) {
  transaction([&] { begin_reading(); }, work);
}

}  // namespace etude::sweep
