#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/music/score.h"

namespace etude::data::midi {

/// Gathers the channel events of one track of a file and deals its notes and pedals out to one Track for each
/// (channel, program), the way symusic 0.6 does.
class NoteCollector {
 public:
  NoteCollector();

  void note_on(std::int64_t time, int channel, int key, int velocity);
  /// Ends the oldest open note of the channel and key; without one it is passed over.
  void note_off(std::int64_t time, int channel, int key);
  void program_change(int channel, int program) { program_[index(channel)] = program; }
  /// Values from 64 on press the pedal.
  void sustain(std::int64_t time, int channel, int value);

  /// Appends the tracks that have notes, by channel and program. Notes that are still open are dropped.
  void finish(const std::string& name, std::vector<Track>& tracks);
  bool has_notes() const { return !notes_.empty(); }

 private:
  static constexpr std::int64_t kOpen = -1;
  static constexpr std::int64_t kReleased = -1;
  static constexpr std::int32_t kNone = -1;

  struct Heard {
    Note note;
    int slot = 0;
    std::int32_t next_open = kNone;  ///< index of the next open note of the same channel and key
  };
  /// First and last of the open notes of a channel and key; `last` means something only while there is a first.
  struct OpenNotes {
    std::int32_t first = kNone;
    std::int32_t last = kNone;
  };
  struct Slot {
    int channel = 0;
    int program = 0;
    std::int64_t ended_notes = 0;
    std::vector<Pedal> pedals;
  };

  static std::size_t index(int channel) { return static_cast<std::size_t>(channel); }
  static std::size_t index(int channel, int key) { return static_cast<std::size_t>(channel * 128 + key); }
  /// The slot of the channel's present program, or -1.
  int find_slot(int channel) const;
  int make_slot(int channel);

  std::vector<Heard> notes_;  ///< in the order of their note-ons
  std::vector<OpenNotes> open_;
  std::vector<Slot> slots_;
  std::array<int, 16> program_{};
  std::array<std::int64_t, 16> pressed_since_{};
  /// Pedals released before their channel's program had sounded: they belong to each track the channel gets later.
  std::array<std::vector<Pedal>, 16> early_pedals_;
};

}  // namespace etude::data::midi
