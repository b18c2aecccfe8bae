#pragma once

#include <cstdio>

namespace etude::log {

/// The terminal on which a stream shows, if it does.
///
/// Under mpirun the streams of a rank are pipes, which mpirun copies to its own, byte for byte. Where mpirun itself is
/// the parent (the ranks of the machine it was typed on) and its stderr is a terminal, that is the one.
class Terminal {
 public:
  /// `out` may be null: that shows nowhere.
  explicit Terminal(std::FILE* out);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool shows() const { return descriptor_ >= 0; }
  /// The window's present width; 80 where the terminal does not say.
  int columns() const;
  /// Its height; 24 where the terminal does not say.
  int rows() const;

 private:
  int descriptor_ = -1;
  bool opened_ = false;
};

/// Whether the locale's characters are UTF-8, so that more than ASCII can be shown.
bool locale_has_unicode();

}  // namespace etude::log
