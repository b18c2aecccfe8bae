#include "data/abc/expander.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace etude::data::abc {
namespace {

constexpr int kVelocity = 80;
constexpr std::int64_t kUsualTicks = 480;
constexpr std::int64_t kMostTicks = 32767;

/// Walks over the bars of a voice as a player does.
class Player {
 public:
  explicit Player(const std::vector<Bar>& bars) : bars_(bars) {}

  std::vector<std::size_t> run() {
    std::size_t at = 0;
    while (at < bars_.size()) {
      const Bar& bar = bars_[at];
      if (bar.begins_repeat && at != start_) begin_section(at);
      if (bar.passes != 0) {
        in_ending_ = true;
        if (!played_now(bar)) {
          at = after_ending(at);
          continue;
        }
      }
      order_.push_back(at);
      if (bar.repeats > 0 && pass_ < passes_of_section(at)) {
        ++pass_;
        in_ending_ = false;
        at = start_;
        continue;
      }
      // A section is over with its repeats, or with the double bar of its last ending.
      if (bar.repeats > 0 || (bar.ends_section && in_ending_)) begin_section(at + 1);
      ++at;
    }
    return std::move(order_);
  }

 private:
  bool played_now(const Bar& bar) const { return (bar.passes >> pass_ & 1) != 0; }

  void begin_section(std::size_t at) {
    start_ = at;
    pass_ = 1;
    in_ending_ = false;
  }

  /// The next ending, or where the music goes on behind the endings.
  std::size_t after_ending(std::size_t at) const {
    std::size_t next = at;
    while (next < bars_.size() && !bars_[next].ends_section) {
      ++next;
      if (next < bars_.size() && (bars_[next].passes != 0 || bars_[next].begins_repeat)) return next;
    }
    return std::min(next + 1, bars_.size());
  }

  /// How often the section is played whose repeat sign closes bar `end`: as often as the sign says, or as its endings
  /// have numbers. The endings may stand before the sign and behind it.
  int passes_of_section(std::size_t end) const {
    std::uint64_t endings = 0;
    for (std::size_t i = start_; i <= end; ++i) endings |= bars_[i].passes;
    for (std::size_t i = end + 1; i < bars_.size() && bars_[i].passes != 0 && !bars_[i].begins_repeat;) {
      endings |= bars_[i].passes;
      const std::size_t next = after_ending(i);
      i = next > i ? next : bars_.size();
    }
    int last = 0;
    for (int pass = 1; pass < 64; ++pass) {
      if ((endings >> pass & 1) != 0) last = pass;
    }
    return last > 0 ? std::max(last, in_ending_ ? 0 : 2) : bars_[end].repeats + 1;
  }

  const std::vector<Bar>& bars_;
  std::vector<std::size_t> order_;
  std::size_t start_ = 0;
  int pass_ = 1;
  bool in_ending_ = false;
};

/// Joins tied notes while a voice is played.
class TrackMaker {
 public:
  explicit TrackMaker(Track& track) : track_(track) {}

  void add(std::int64_t start, std::int64_t end, const WrittenNote& note) {
    const auto open = open_.find(note.pitch);
    if (open != open_.end()) {
      Note& before = track_.notes[open->second];
      const bool joins = before.start + before.duration == start;
      if (joins) before.duration = end - before.start;
      if (!joins || !note.tied) open_.erase(open);
      if (joins) return;
    }
    if (note.tied) open_[note.pitch] = track_.notes.size();
    track_.notes.push_back({start, end - start, note.pitch, kVelocity});
  }

 private:
  Track& track_;
  std::map<int, std::size_t> open_;  ///< notes with a tie, by pitch
};

std::int64_t ticks_per_quarter(const WrittenTune& tune) {
  std::int64_t ticks = kUsualTicks;
  const auto refine = [&ticks](const Fraction& time) {
    const std::int64_t denominator = time.denominator() / std::gcd(time.denominator(), std::int64_t{4});
    const std::int64_t finer = ticks / std::gcd(ticks, denominator);
    if (denominator <= kMostTicks && finer * denominator <= kMostTicks) ticks = finer * denominator;
  };
  for (const Voice& voice : tune.voices) {
    for (const Bar& bar : voice.bars) {
      refine(bar.length);
      for (const WrittenNote& note : bar.notes) {
        refine(note.offset);
        refine(note.duration);
      }
    }
  }
  return ticks;
}

/// Adds the signs of another voice. Voices that say something of one time should agree; the first is believed.
template <typename Event>
void merge(std::vector<Event>& all, const std::vector<Event>& more) {
  all.insert(all.end(), more.begin(), more.end());
  std::stable_sort(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
  const auto same_time = [](const Event& a, const Event& b) { return a.time == b.time; };
  all.erase(std::unique(all.begin(), all.end(), same_time), all.end());
}

/// Appends a sign, or puts it in the place of one at the same time.
template <typename Event>
void append(std::vector<Event>& events, const Event& event) {
  if (!events.empty() && events.back().time == event.time) events.pop_back();
  events.push_back(event);
}

/// The tempos, metres and keys that a voice meets while it is played.
struct Signs {
  std::vector<Tempo> tempos;
  std::vector<TimeSignature> metres;
  std::vector<KeySignature> keys;

  void add_tempo(std::int64_t time, double quarters_per_minute) {
    if (tempos.empty() || tempos.back().quarters_per_minute != quarters_per_minute) {
      append(tempos, {time, quarters_per_minute});
    }
  }
  void add_metre(std::int64_t time, const Metre& metre) {
    if (metre.free) return;
    const bool same =
        !metres.empty() && metres.back().numerator == metre.numerator && metres.back().denominator == metre.denominator;
    if (!same) append(metres, {time, metre.numerator, metre.denominator});
  }
  void add_key(std::int64_t time, const Key& key) {
    if (!key.named) return;
    const bool same = !keys.empty() && keys.back().sharps == key.sharps && keys.back().minor == key.minor;
    if (!same) append(keys, {time, key.sharps, key.minor});
  }
};

}  // namespace

std::vector<std::size_t> playing_order(const std::vector<Bar>& bars) { return Player(bars).run(); }

Score sounding(const WrittenTune& tune) {
  Score score;
  score.title = tune.title;
  score.composer = tune.composer;
  const std::int64_t resolution = ticks_per_quarter(tune);
  score.ticks_per_quarter = static_cast<int>(resolution);
  const auto to_ticks = [resolution](const Fraction& time) -> std::int64_t {
    // Exact except for rhythms too fine for MIDI's resolution.
    return std::llround(static_cast<long double>(time.numerator()) * 4 * resolution / time.denominator());
  };
  for (const Voice& voice : tune.voices) {
    Track track;
    if (tune.voices.size() > 1) track.name = voice.name.empty() ? voice.id : voice.name;
    TrackMaker maker(track);
    Signs signs;
    std::int64_t begin = 0;
    for (const std::size_t i : playing_order(voice.bars)) {
      const Bar& bar = voice.bars[i];
      if (bar.length == Fraction(0)) continue;
      signs.add_metre(begin, bar.metre);
      signs.add_key(begin, bar.key);
      if (bar.tempo) signs.add_tempo(begin, *bar.tempo);
      for (const auto& [offset, tempo] : bar.tempo_changes) signs.add_tempo(begin + to_ticks(offset), tempo);
      for (const WrittenNote& note : bar.notes) {
        const std::int64_t start = begin + to_ticks(note.offset);
        maker.add(start, std::max(start + 1, begin + to_ticks(note.offset + note.duration)), note);
      }
      begin += to_ticks(bar.length);
    }
    std::stable_sort(track.notes.begin(), track.notes.end(),
                     [](const Note& a, const Note& b) { return a.start < b.start; });
    score.tracks.push_back(std::move(track));
    merge(score.tempos, signs.tempos);
    merge(score.time_signatures, signs.metres);
    merge(score.key_signatures, signs.keys);
  }
  return score;
}

}  // namespace etude::data::abc
