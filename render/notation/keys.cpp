#include "render/notation/keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace etude::render {
namespace {

constexpr int kPitchClasses = 12;
using Profile = std::array<double, kPitchClasses>;
constexpr Profile kMajor{6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88};
constexpr Profile kMinor{6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17};

/// Pearson's, of the profile moved to `tonic`.
double correlation(const Profile& heard, const Profile& profile, int tonic) {
  const double heard_mean = std::accumulate(heard.begin(), heard.end(), 0.0) / kPitchClasses;
  const double profile_mean = std::accumulate(profile.begin(), profile.end(), 0.0) / kPitchClasses;
  double product = 0, heard_squares = 0, profile_squares = 0;
  for (int i = 0; i < kPitchClasses; ++i) {
    const double a = heard[static_cast<std::size_t>((tonic + i) % kPitchClasses)] - heard_mean;
    const double b = profile[static_cast<std::size_t>(i)] - profile_mean;
    product += a * b;
    heard_squares += a * a;
    profile_squares += b * b;
  }
  const double scale = std::sqrt(heard_squares * profile_squares);
  return scale > 0 ? product / scale : 0;
}

/// Sharps of the major key on a pitch class, -5 (five flats) to 6.
int sharps_of_major(int tonic) {
  const int fifths = tonic * 7 % kPitchClasses;  // C 0, G 1, … F 11
  return fifths > 6 ? fifths - kPitchClasses : fifths;
}

/// Letters along the line of fifths, F at -1; see spell().
Spelling at_fifth(int fifth, int pitch) {
  const int from_f = fifth + 1;
  const int alter = from_f >= 0 ? from_f / 7 : (from_f - 6) / 7;
  Spelling spelling;
  spelling.step = "FCGDAEB"[from_f - alter * 7];
  spelling.alter = alter;
  // B-sharp belongs to the octave below what sounds, C-flat to the one above.
  spelling.octave = (pitch - alter + kPitchClasses) / kPitchClasses - 2;
  return spelling;
}

int alter_in_key(char step, int sharps) {
  const auto place = static_cast<int>(std::string("FCGDAEB").find(step));
  if (sharps > 0) return place < sharps ? 1 : 0;
  return 6 - place < -sharps ? -1 : 0;
}

/// Sets the accidentals of a staff's measure.
void set_accidentals(Staff& staff, const data::KeySignature& key) {
  std::vector<Element*> in_time;
  for (auto& voice : staff.voices) {
    for (Element& element : voice) in_time.push_back(&element);
  }
  std::stable_sort(in_time.begin(), in_time.end(),
                   [](const Element* a, const Element* b) { return a->offset < b->offset; });
  std::map<std::pair<char, int>, int> in_force;
  for (Element* element : in_time) {
    for (WrittenNote& note : element->notes) {
      const Spelling& spelling = note.spelling;
      const auto [place, is_new] =
          in_force.emplace(std::pair(spelling.step, spelling.octave), alter_in_key(spelling.step, key.sharps));
      if (note.tied_back) continue;  // the sign of the first holds for it, and for it alone
      note.accidental = place->second != spelling.alter;
      place->second = spelling.alter;
    }
  }
}

}  // namespace

data::KeySignature estimate_key(const std::vector<PlacedNote>& notes) {
  Profile heard{};
  for (const PlacedNote& note : notes) {
    heard[static_cast<std::size_t>(note.pitch % kPitchClasses)] += static_cast<double>(note.end - note.begin);
  }
  data::KeySignature best;
  double highest = 0;
  for (int tonic = 0; tonic < kPitchClasses; ++tonic) {
    for (const bool minor : {false, true}) {
      const double match = correlation(heard, minor ? kMinor : kMajor, tonic);
      if (match <= highest) continue;
      highest = match;
      best = {0, sharps_of_major(minor ? (tonic + 3) % kPitchClasses : tonic), minor};
    }
  }
  return best;
}

void set_keys(std::vector<Measure>& measures, const data::Score& score, const std::vector<PlacedNote>& notes) {
  const auto& named = score.key_signatures;
  data::KeySignature key = named.empty() ? estimate_key(notes) : named.front();
  std::size_t next = 0;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    Measure& measure = measures[i];
    // One that stands inside a measure holds from the nearer bar line on.
    while (next < named.size() &&
           units_at(score, named[next].time) < static_cast<double>(measure.begin) + measure.length / 2.0) {
      key = named[next++];
    }
    measure.key = {measure.begin, std::clamp(key.sharps, -7, 7), key.minor};
    measure.shows_key = i == 0 || measure.key.sharps != measures[i - 1].key.sharps;
  }
}

Spelling spell(int pitch, const data::KeySignature& key, bool rises, bool falls) {
  const int lowest = key.sharps - (key.minor ? 2 : 3);
  const int class_fifth = pitch % kPitchClasses * 7 % kPitchClasses;
  int fifth = class_fifth + (lowest - class_fifth) / kPitchClasses * kPitchClasses;
  while (fifth < lowest) fifth += kPitchClasses;
  while (fifth >= lowest + kPitchClasses) fifth -= kPitchClasses;
  const bool in_key = fifth >= key.sharps - 1 && fifth <= key.sharps + 5;
  if (!in_key && rises != falls) {
    const int raised = fifth > key.sharps + 5 ? fifth : fifth + kPitchClasses;
    const int moved = rises ? raised : raised - kPitchClasses;
    if (moved >= key.sharps - 5 && moved <= key.sharps + 10) fifth = moved;
  }
  return at_fifth(fifth, pitch);
}

void spell_all(std::vector<Measure>& measures) {
  if (measures.empty()) return;
  for (std::size_t staff = 0; staff < measures.front().staves.size(); ++staff) {
    for (std::size_t voice = 0; voice < 2; ++voice) {
      const std::vector<WrittenNote>* next = nullptr;  // of the chord that follows
      for (std::size_t i = measures.size(); i-- > 0;) {
        auto& elements = measures[i].staves[staff].voices[voice];
        for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
          if (element->notes.empty()) continue;
          const auto has = [&](int pitch) {
            return next != nullptr && std::any_of(next->begin(), next->end(),
                                                  [&](const WrittenNote& note) { return note.pitch == pitch; });
          };
          for (WrittenNote& note : element->notes) {
            const auto same = [&](const WrittenNote& other) { return other.pitch == note.pitch && other.tied_back; };
            const auto goes_on = next == nullptr ? std::vector<WrittenNote>::const_iterator{}
                                                 : std::find_if(next->begin(), next->end(), same);
            note.spelling = note.tied_on && next != nullptr && goes_on != next->end()
                                ? goes_on->spelling  // a tie joins one letter to itself
                                : spell(note.pitch, measures[i].key, has(note.pitch + 1), has(note.pitch - 1));
          }
          next = &element->notes;
        }
      }
    }
  }
  for (Measure& measure : measures) {
    for (Staff& staff : measure.staves) set_accidentals(staff, measure.key);
  }
}

std::string key_name(const data::KeySignature& key) {
  const int fifth = std::clamp(key.sharps, -7, 7) + (key.minor ? 3 : 0);
  const Spelling tonic = at_fifth(fifth, 60);
  return fmt::format("{}{} {}", tonic.step,
                     tonic.alter > 0   ? "-sharp"
                     : tonic.alter < 0 ? "-flat"
                                       : "",
                     key.minor ? "minor" : "major");
}

}  // namespace etude::render
