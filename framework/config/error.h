#pragma once

#include <stdexcept>
#include <string>

namespace etude {

/// Something failed: the message gives the fact, the place and the way out. The program ends with exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The program was asked for something it cannot mean (unknown key, bad flag, missing file). Exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace etude
