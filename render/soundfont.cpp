#include "render/soundfont.h"

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::render {

namespace fs = std::filesystem;

std::vector<fs::path> usual_soundfonts() {
  std::vector<fs::path> found;
  for (const char* name : {"sf2/FluidR3_GM.sf2", "sf3/FluidR3Mono_GM.sf3", "sf3/MuseScore_General.sf3",
                           "sf2/TimGM6mb.sf2", "sf3/default-GM.sf3", "sf2/default-GM.sf2"}) {
    found.push_back(fs::path("/usr/share/sounds") / name);
  }
  for (const char* name : {"FluidR3_GM.sf2", "FluidR3_GM2-2.sf2", "default.sf2"}) {
    found.push_back(fs::path("/usr/share/soundfonts") / name);
  }
  return found;
}

fs::path find_soundfont(const fs::path& given, const std::vector<fs::path>& usual) {
  if (!given.empty()) {
    if (!fs::is_regular_file(given)) {
      throw UsageError(fmt::format("--soundfont: {}: no such file; a soundfont ends in .sf2 or .sf3", given.string()));
    }
    return given;
  }
  if (const char* named = std::getenv("ETUDE_SOUNDFONT"); named != nullptr && *named != '\0') {
    if (!fs::is_regular_file(named)) {
      throw UsageError(fmt::format("ETUDE_SOUNDFONT: {}: no such file; a soundfont ends in .sf2 or .sf3", named));
    }
    return named;
  }
  for (const fs::path& path : usual) {
    std::error_code unreadable;
    if (fs::is_regular_file(path, unreadable)) return path;
  }
  throw UsageError(
      "sound is made from a soundfont, and none was found in /usr/share/sounds; install the package "
      "fluidr3mono-gm-soundfont (23 MB), or name a .sf2 or .sf3 file with --soundfont or ETUDE_SOUNDFONT");
}

}  // namespace etude::render
