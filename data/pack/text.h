#pragma once

#include <string>
#include <string_view>

namespace etude::data {

/// Text of unknown encoding, from a file's name or a MIDI title, as UTF-8 that JSON and HDF5 can hold: kept when it is
/// UTF-8, else taken as Latin-1; control characters become spaces, and outer spaces go.
std::string clean_text(std::string_view text);

/// ASCII letters in lower case, all else as it is.
std::string lower_case(std::string_view text);

}  // namespace etude::data
