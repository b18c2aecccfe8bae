#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "data/music/score.h"

namespace etude::data::midi {

/// Reads a Standard MIDI File, format 0 or 1 (format 2 is refused with the reason). Running status, tempo, time- and
/// key-signature changes, sustain pedal, SMPTE division (turned into ticks per quarter at 120 quarters a minute),
/// unknown chunks and meta events skipped. Note-offs end the oldest open note of their channel and key; notes that
/// never end are dropped. One track per (file track, channel, program), as symusic makes them.
/// Throws Error with the byte offset of what is malformed; `name` stands for the file in the message.
Score parse(std::span<const std::byte> bytes, const std::string& name);

/// The same of a file. Throws Error naming it.
Score read(const std::filesystem::path& file);

/// A format-1 file: a conductor track (title, tempos, time and key signatures), then one track per score track.
std::string serialize(const Score& score);

}  // namespace etude::data::midi
