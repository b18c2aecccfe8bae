#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "data/midi/midi.h"
#include "framework/config/error.h"

namespace etude::data::midi {
namespace {

void append_big_endian(std::string& out, std::uint32_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

void append_variable_length(std::string& out, std::uint32_t value) {
  for (int shift = 21; shift > 0; shift -= 7) {
    if (value >> shift != 0) out.push_back(static_cast<char>((value >> shift & 0x7F) | 0x80));
  }
  out.push_back(static_cast<char>(value & 0x7F));
}

/// The events of one track of the file, in any order at first.
class TrackWriter {
 public:
  /// At one time, notes and pedals end before new ones begin, so that repeated notes stay apart.
  enum class Rank { kSettings, kEnd, kBegin };

  void add(std::int64_t time, Rank rank, std::string bytes) {
    if (time < 0) throw Error(fmt::format("cannot write an event at tick {}, before the start of the piece", time));
    events_.push_back({time, rank, std::move(bytes)});
  }

  void add_meta(std::int64_t time, int type, std::string_view content) {
    std::string bytes{'\xFF', static_cast<char>(type)};
    append_variable_length(bytes, static_cast<std::uint32_t>(content.size()));
    bytes += content;
    add(time, Rank::kSettings, std::move(bytes));
  }

  void append_chunk(std::string& out) {
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return a.time != b.time ? a.time < b.time : a.rank < b.rank;
    });
    std::string chunk;
    std::int64_t now = 0;
    for (const Event& event : events_) {
      const std::int64_t delta = event.time - now;
      if (delta >= std::int64_t{1} << 28) {
        throw Error(fmt::format("cannot write a pause of {} ticks: MIDI has room for {}", delta, (1 << 28) - 1));
      }
      append_variable_length(chunk, static_cast<std::uint32_t>(delta));
      chunk += event.bytes;
      now = event.time;
    }
    chunk += std::string_view("\0\xFF\x2F\0", 4);
    out += "MTrk";
    append_big_endian(out, static_cast<std::uint32_t>(chunk.size()), 4);
    out += chunk;
  }

 private:
  struct Event {
    std::int64_t time = 0;
    Rank rank = Rank::kSettings;
    std::string bytes;
  };
  std::vector<Event> events_;
};

std::string tempo_bytes(const Tempo& tempo) {
  constexpr double kLargest = 0xFFFFFF;
  const double microseconds = std::round(60'000'000.0 / tempo.quarters_per_minute);
  if (!(microseconds >= 1 && microseconds <= kLargest)) {
    throw Error(fmt::format("cannot write a tempo of {} quarters per minute: MIDI has room for 3.58 to 60 million",
                            tempo.quarters_per_minute));
  }
  std::string bytes;
  append_big_endian(bytes, static_cast<std::uint32_t>(microseconds), 3);
  return bytes;
}

std::string time_signature_bytes(const TimeSignature& signature) {
  int exponent = 0;
  while (exponent < 8 && 1 << exponent < signature.denominator) ++exponent;
  if (1 << exponent != signature.denominator || signature.numerator < 1 || signature.numerator > 255) {
    throw Error(fmt::format("cannot write a time signature of {}/{}: MIDI wants 1 to 255 over a power of two",
                            signature.numerator, signature.denominator));
  }
  constexpr char kClocksPerClick = 24, kThirtySecondsPerQuarter = 8;
  return {static_cast<char>(signature.numerator), static_cast<char>(exponent), kClocksPerClick,
          kThirtySecondsPerQuarter};
}

void append_conductor(std::string& out, const Score& score) {
  TrackWriter track;
  if (!score.title.empty()) track.add_meta(0, 0x03, score.title);
  if (!score.composer.empty()) track.add_meta(0, 0x01, score.composer);
  for (const TimeSignature& signature : score.time_signatures) {
    track.add_meta(signature.time, 0x58, time_signature_bytes(signature));
  }
  for (const KeySignature& key : score.key_signatures) {
    track.add_meta(key.time, 0x59, std::string{static_cast<char>(key.sharps), static_cast<char>(key.minor)});
  }
  for (const Tempo& tempo : score.tempos) track.add_meta(tempo.time, 0x51, tempo_bytes(tempo));
  track.append_chunk(out);
}

std::string channel_event(int kind, int channel, int first, int second) {
  return {static_cast<char>(kind | channel), static_cast<char>(first), static_cast<char>(second)};
}

void append_track(std::string& out, const Track& track, int channel) {
  using Rank = TrackWriter::Rank;
  constexpr int kNoteOff = 0x80, kNoteOn = 0x90, kController = 0xB0, kProgram = 0xC0, kSustain = 64;
  const auto within = [](int value, int low, const char* what) {
    if (value < low || value > 127)
      throw Error(fmt::format("cannot write {} {}: MIDI has {} to 127", what, value, low));
  };
  TrackWriter writer;
  if (!track.name.empty()) writer.add_meta(0, 0x03, track.name);
  within(track.program, 0, "program");
  writer.add(0, Rank::kSettings, {static_cast<char>(kProgram | channel), static_cast<char>(track.program)});
  const auto add_span = [&writer](std::int64_t start, std::int64_t duration, std::string begin, std::string end) {
    if (duration < 0) throw Error(fmt::format("cannot write a note or pedal of {} ticks", duration));
    // Without length, the end must follow its own beginning and nothing may come between.
    if (duration == 0) return writer.add(start, Rank::kBegin, begin + '\0' + end);
    writer.add(start, Rank::kBegin, std::move(begin));
    writer.add(start + duration, Rank::kEnd, std::move(end));
  };
  for (const Pedal& pedal : track.pedals) {
    add_span(pedal.start, pedal.duration, channel_event(kController, channel, kSustain, 127),
             channel_event(kController, channel, kSustain, 0));
  }
  for (const Note& note : track.notes) {
    within(note.pitch, 0, "pitch");
    within(note.velocity, 1, "velocity");
    add_span(note.start, note.duration, channel_event(kNoteOn, channel, note.pitch, note.velocity),
             channel_event(kNoteOff, channel, note.pitch, 64));
  }
  writer.append_chunk(out);
}

}  // namespace

std::string serialize(const Score& score) {
  if (score.ticks_per_quarter < 1 || score.ticks_per_quarter > 0x7FFF) {
    throw Error(
        fmt::format("cannot write {} ticks per quarter: MIDI has room for 1 to 32767", score.ticks_per_quarter));
  }
  if (score.tracks.size() >= 0xFFFF) throw Error(fmt::format("cannot write {} tracks", score.tracks.size()));
  std::string out = "MThd";
  append_big_endian(out, 6, 4);
  append_big_endian(out, 1, 2);
  append_big_endian(out, static_cast<std::uint32_t>(score.tracks.size() + 1), 2);
  append_big_endian(out, static_cast<std::uint32_t>(score.ticks_per_quarter), 2);
  append_conductor(out, score);
  // A channel for each track, so that programs do not overwrite each other; the tenth is the drums' alone.
  constexpr int kDrumChannel = 9, kPitchedChannels = 15;
  int pitched = 0;
  for (const Track& track : score.tracks) {
    const int channel = pitched % kPitchedChannels;
    append_track(out, track, track.drums ? kDrumChannel : channel + (channel >= kDrumChannel ? 1 : 0));
    if (!track.drums) ++pitched;
  }
  return out;
}

}  // namespace etude::data::midi
