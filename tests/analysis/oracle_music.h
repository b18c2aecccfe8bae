#pragma once

#include "tests/support/oracle.h"

namespace etude::testing {

/// The folder that, first on PYTHONPATH, makes oracle_python() have MusPy, music21 and SciPy; nothing where
/// script/setup
/// --test has not made it.
inline std::optional<std::string> music_oracle() {
  const std::string folder = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-music";
  if (oracle_python() && std::filesystem::exists(folder + "/made-from")) return folder;
  return std::nullopt;
}

}  // namespace etude::testing
