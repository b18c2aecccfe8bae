#pragma once

#include <stdexcept>
#include <string>

namespace etude::data::abc {

/// Why a tune cannot be read, and where. It ends the reading of its tune and becomes a Problem of the book.
class Unreadable : public std::runtime_error {
 public:
  Unreadable(int line, int column, const std::string& what) : std::runtime_error(what), line_(line), column_(column) {}
  int line() const { return line_; }
  int column() const { return column_; }

 private:
  int line_;
  int column_;
};

}  // namespace etude::data::abc
