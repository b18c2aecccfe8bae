#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "data/midi/byte_reader.h"
#include "data/midi/midi.h"
#include "data/midi/note_collector.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data::midi {
namespace {

struct Header {
  int format = 0;
  int tracks = 0;
  int ticks_per_quarter = 0;
  /// Set for SMPTE time: ticks are fractions of a second then, and tempo events in the file mean nothing.
  std::optional<double> fixed_tempo;
};

/// SMPTE frames are seconds. A quarter of half a second holds half the ticks of a second, always a whole number but
/// for 25 frames with an odd number of ticks each, where a quarter of one second serves.
void set_smpte_time(Header& header, int frames, int ticks_per_frame) {
  const int ticks_per_second = frames * ticks_per_frame;
  const bool even = ticks_per_second % 2 == 0;
  header.ticks_per_quarter = even ? ticks_per_second / 2 : ticks_per_second;
  header.fixed_tempo = even ? 120.0 : 60.0;
}

Header read_header(ByteReader& file) {
  constexpr std::uint32_t kMagic = 0x4D546864;  // "MThd"
  if (file.remaining() < 14 || file.big_endian(4) != kMagic) {
    file.fail(0, "not a Standard MIDI File: it does not begin with an 'MThd' chunk");
  }
  ByteReader chunk = file.part(file.big_endian(4), "the header");
  if (chunk.remaining() < 6) file.fail(4, "the header chunk is shorter than its six bytes");
  Header header;
  header.format = static_cast<int>(chunk.big_endian(2));
  if (header.format == 2) {
    file.fail(8, "format 2 holds independent patterns, not one piece; save each as a file of format 0 or 1");
  }
  if (header.format > 2) file.fail(8, fmt::format("format {} is none of MIDI's (0, 1, 2)", header.format));
  header.tracks = static_cast<int>(chunk.big_endian(2));
  const std::uint32_t division = chunk.big_endian(2);
  if ((division & 0x8000) == 0) {
    header.ticks_per_quarter = static_cast<int>(division);
    if (division == 0) file.fail(12, "the time division is 0 ticks per quarter");
    return header;
  }
  const int frames = 256 - static_cast<int>(division >> 8);
  const int ticks_per_frame = static_cast<int>(division & 0xFF);
  const bool known = frames == 24 || frames == 25 || frames == 29 || frames == 30;
  if (!known || ticks_per_frame == 0) {
    file.fail(12,
              fmt::format("the time division of {} frames a second with {} ticks each is none of SMPTE's (24, 25, 29 "
                          "or 30 frames)",
                          frames, ticks_per_frame));
  }
  set_smpte_time(header, frames == 29 ? 30 : frames, ticks_per_frame);
  if (frames == 29) *header.fixed_tempo /= 1.001;  // 29 stands for 30 / 1.001 frames
  return header;
}

/// Reads the events of one track chunk into the score.
class TrackReader {
 public:
  TrackReader(ByteReader chunk, const Header& header, bool first, Score& score)
      : chunk_(chunk), header_(header), first_(first), score_(score) {}

  void read() {
    while (!ended_ && !chunk_.at_end()) {
      time_ += chunk_.variable_length();
      read_event();
    }
    // The first track of a format-1 file is named after the piece, unless it is an instrument.
    if (first_ && (header_.format == 0 || !notes_.has_notes())) score_.title = name_;
    notes_.finish(name_, score_.tracks);
  }

 private:
  void read_event() {
    const std::size_t begin = chunk_.offset();
    std::uint8_t status = chunk_.peek();
    if (status < 0x80) {
      if (running_status_ == 0)
        chunk_.fail(begin, fmt::format("data byte {:#04x} without a status byte before it", status));
      status = running_status_;
    } else {
      chunk_.byte();
    }
    if (status < 0xF0) {
      running_status_ = status;
      read_channel_event(status);
    } else if (status == 0xFF) {
      read_meta_event();
    } else {
      skip_system_event(status);
    }
  }

  void read_channel_event(std::uint8_t status) {
    const int channel = status & 0x0F;
    const int kind = status & 0xF0;
    const int first = chunk_.data_byte();
    if (kind == 0xC0) return notes_.program_change(channel, first);
    if (kind == 0xD0) return;  // channel pressure
    const int second = chunk_.data_byte();
    if (kind == 0x90 && second > 0) {
      notes_.note_on(time_, channel, first, second);
    } else if (kind == 0x90 || kind == 0x80) {
      notes_.note_off(time_, channel, first);
    } else if (kind == 0xB0 && first == kSustain) {
      notes_.sustain(time_, channel, second);
    }
  }

  void skip_system_event(std::uint8_t status) {
    if (status == 0xF0 || status == 0xF7) {
      chunk_.part(chunk_.variable_length(), "a system-exclusive message");
    } else if (status == 0xF1 || status == 0xF3) {
      chunk_.part(1, "a system message");
    } else if (status == 0xF2) {
      chunk_.part(2, "a system message");
    }
  }

  void read_meta_event() {
    const std::size_t begin = chunk_.offset() - 1;
    const int type = chunk_.data_byte();
    ByteReader content = chunk_.part(chunk_.variable_length(), "a meta event");
    const auto expect = [&](std::size_t size, const char* what) {
      if (content.remaining() < size) {
        chunk_.fail(begin, fmt::format("a {} event of {} bytes; it needs {}", what, content.remaining(), size));
      }
    };
    switch (type) {
      case 0x01:
        // By the custom of piano-midi.de, the first text of a file is the composer.
        if (first_ && score_.composer.empty()) score_.composer = content.text();
        break;
      case 0x03:
        name_ = content.text();
        break;
      case 0x2F:
        ended_ = true;
        break;
      case 0x51: {
        expect(3, "tempo");
        const std::uint32_t microseconds = content.big_endian(3);
        if (microseconds == 0) chunk_.fail(begin, "a tempo of 0 microseconds per quarter");
        if (!header_.fixed_tempo) score_.tempos.push_back({time_, 60'000'000.0 / microseconds});
        break;
      }
      case 0x58: {
        expect(2, "time signature");
        const int numerator = content.byte();
        const int exponent = content.byte();
        if (numerator == 0 || exponent > kLargestDenominatorExponent) {
          chunk_.fail(begin, fmt::format("a time signature of {}/2^{}", numerator, exponent));
        }
        score_.time_signatures.push_back({time_, numerator, 1 << exponent});
        break;
      }
      case 0x59: {
        expect(2, "key signature");
        const int sharps = static_cast<std::int8_t>(content.byte());
        const int mode = content.byte();
        if (sharps < -7 || sharps > 7 || mode > 1) {
          chunk_.fail(begin, fmt::format("a key signature of {} sharps in mode {}", sharps, mode));
        }
        score_.key_signatures.push_back({time_, sharps, mode == 1});
        break;
      }
      default:
        break;
    }
  }

  static constexpr int kSustain = 64;
  static constexpr int kLargestDenominatorExponent = 8;

  ByteReader chunk_;
  const Header& header_;
  const bool first_;
  Score& score_;
  NoteCollector notes_;
  std::string name_;
  std::int64_t time_ = 0;
  std::uint8_t running_status_ = 0;
  bool ended_ = false;
};

template <typename Event>
void sort_by_time(std::vector<Event>& events) {
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
}

}  // namespace

Score parse(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::uint32_t kTrack = 0x4D54726B;  // "MTrk"
  ByteReader file(bytes, name);
  const Header header = read_header(file);
  Score score;
  score.ticks_per_quarter = header.ticks_per_quarter;
  if (header.fixed_tempo) score.tempos.push_back({0, *header.fixed_tempo});
  // What follows the last track is not read: some files carry rubbish there.
  for (int track = 0; track < header.tracks;) {
    if (file.at_end()) {
      file.fail(file.offset(),
                fmt::format("the file ends after {} of {} tracks (truncated file?)", track, header.tracks));
    }
    if (file.remaining() < 8) file.fail(file.offset(), "ends in the middle of a chunk's head (truncated file?)");
    const std::uint32_t kind = file.big_endian(4);
    const ByteReader chunk = file.part(file.big_endian(4), kind == kTrack ? "this track" : "this chunk");
    if (kind != kTrack) continue;
    TrackReader(chunk, header, track == 0, score).read();
    ++track;
  }
  sort_by_time(score.tempos);
  sort_by_time(score.time_signatures);
  sort_by_time(score.key_signatures);
  return score;
}

Score read(const std::filesystem::path& file) {
  const std::string content = files::read(file);
  return parse(std::as_bytes(std::span(content)), file.string());
}

}  // namespace etude::data::midi
