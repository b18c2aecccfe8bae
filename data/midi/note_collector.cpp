#include "data/midi/note_collector.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace etude::data::midi {
namespace {

constexpr int kDrumChannel = 9;
constexpr int kPressed = 64;

}  // namespace

NoteCollector::NoteCollector() : open_(16 * 128) { pressed_since_.fill(kReleased); }

int NoteCollector::find_slot(int channel) const {
  const int program = program_[index(channel)];
  // Nearly every file track uses one channel and one program: the search ends at the first or second slot.
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].channel == channel && slots_[i].program == program) return static_cast<int>(i);
  }
  return -1;
}

int NoteCollector::make_slot(int channel) {
  slots_.push_back({channel, program_[index(channel)], 0, early_pedals_[index(channel)]});
  return static_cast<int>(slots_.size()) - 1;
}

void NoteCollector::note_on(std::int64_t time, int channel, int key, int velocity) {
  int slot = find_slot(channel);
  if (slot < 0) slot = make_slot(channel);
  const auto position = static_cast<std::int32_t>(notes_.size());
  notes_.push_back({{time, kOpen, key, velocity}, slot, kNone});
  OpenNotes& open = open_[index(channel, key)];
  if (open.first == kNone) {
    open.first = position;
  } else {
    notes_[static_cast<std::size_t>(open.last)].next_open = position;
  }
  open.last = position;
}

void NoteCollector::note_off(std::int64_t time, int channel, int key) {
  OpenNotes& open = open_[index(channel, key)];
  if (open.first == kNone) return;
  Heard& heard = notes_[static_cast<std::size_t>(open.first)];
  heard.note.duration = time - heard.note.start;
  open.first = heard.next_open;
  ++slots_[static_cast<std::size_t>(heard.slot)].ended_notes;
}

void NoteCollector::sustain(std::int64_t time, int channel, int value) {
  std::int64_t& since = pressed_since_[index(channel)];
  if (value >= kPressed) {
    if (since == kReleased) since = time;
    return;
  }
  if (since == kReleased) return;
  const int slot = find_slot(channel);
  auto& pedals = slot < 0 ? early_pedals_[index(channel)] : slots_[static_cast<std::size_t>(slot)].pedals;
  pedals.push_back({since, time - since});
  since = kReleased;
}

void NoteCollector::finish(const std::string& name, std::vector<Track>& tracks) {
  std::vector<std::size_t> order(slots_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    return std::tie(slots_[a].channel, slots_[a].program) < std::tie(slots_[b].channel, slots_[b].program);
  });
  std::vector<std::size_t> track_of(slots_.size());
  for (const std::size_t i : order) {
    Slot& slot = slots_[i];
    if (slot.ended_notes == 0) continue;
    track_of[i] = tracks.size();
    tracks.push_back({name, slot.program, slot.channel == kDrumChannel, {}, std::move(slot.pedals)});
    tracks.back().notes.reserve(static_cast<std::size_t>(slot.ended_notes));
  }
  for (const Heard& heard : notes_) {
    if (heard.note.duration != kOpen)
      tracks[track_of[static_cast<std::size_t>(heard.slot)]].notes.push_back(heard.note);
  }
}

}  // namespace etude::data::midi
