#pragma once

#include <string>
#include <string_view>

/// The fuzz target's MusicXML of a MIDI file; nothing where it was refused.
std::string written_down(std::string_view bytes);
