#pragma once

#include <filesystem>
#include <vector>

namespace etude::render {

/// Where Debian, Ubuntu, Fedora and Arch put soundfonts, the better sound of a piano first.
std::vector<std::filesystem::path> usual_soundfonts();

/// The soundfont to play with: `given` where it is not empty, else $ETUDE_SOUNDFONT, else the first of `usual` that is
/// there. Throws UsageError naming what was looked for and the package that has one.
std::filesystem::path find_soundfont(const std::filesystem::path& given,
                                     const std::vector<std::filesystem::path>& usual = usual_soundfonts());

}  // namespace etude::render
