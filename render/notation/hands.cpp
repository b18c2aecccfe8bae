#include "render/notation/hands.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace etude::render {
namespace {

/// What one hand is doing.
struct Hand {
  double place = 60;       ///< middle of what it played last
  std::int64_t until = 0;  ///< how long its keys are held
  int low = 60;
  int high = 60;
};

/// A way to have divided everything up to a slice: the lower `split` notes of it are the left hand's.
struct Division {
  double price = 0;
  Hand left, right;
  std::size_t split = 0;
  std::size_t parent = 0;
};

constexpr double kLeftHome = 50, kRightHome = 70;
constexpr int kOctave = 12;
constexpr std::size_t kKept = 12;  // divisions followed at once

double price_of_grip(std::span<const PlacedNote> notes) {
  const int span = notes.back().pitch - notes.front().pitch;
  const double stretch = std::max(0, span - kOctave);
  const double fingers = std::max(0.0, static_cast<double>(notes.size()) - 5);
  return stretch * 0.8 + (span > kOctave + 4 ? 6 : 0) + fingers * 3;
}

/// Lets a hand take `notes`; gives what that asks of it.
double take(Hand& hand, std::span<const PlacedNote> notes) {
  if (notes.empty()) return 0;
  const double middle = (notes.front().pitch + notes.back().pitch) / 2.0;
  const double rest = std::max<double>(0, static_cast<double>(notes.front().begin - hand.until)) / kUnitsPerQuarter;
  const double price = price_of_grip(notes) + std::abs(middle - hand.place) * 0.12 / (1 + rest);
  hand.place = middle;
  hand.low = notes.front().pitch;
  hand.high = notes.back().pitch;
  hand.until = notes.front().begin;
  for (const PlacedNote& note : notes) hand.until = std::max(hand.until, note.end);
  return price;
}

Division divide(const Division& before, std::span<const PlacedNote> slice, std::size_t split) {
  Division division = before;
  division.split = split;
  const auto left = slice.first(split), right = slice.subspan(split);
  const std::int64_t now = slice.front().begin;
  if (!left.empty() && before.right.until > now) {
    division.price += std::max(0, left.back().pitch - before.right.low + 1) * 0.25;
  }
  if (!right.empty() && before.left.until > now) {
    division.price += std::max(0, before.left.high - right.front().pitch + 1) * 0.25;
  }
  division.price += take(division.left, left) + take(division.right, right);
  // Each hand has a region where it is at home; far from it, the other should play.
  for (const PlacedNote& note : left) division.price += std::max(0.0, note.pitch - 60.0) * 0.08;
  for (const PlacedNote& note : right) division.price += std::max(0.0, 60.0 - note.pitch) * 0.08;
  return division;
}

std::vector<bool> search(const std::vector<PlacedNote>& notes) {
  struct Choice {
    std::size_t split;
    std::size_t parent;
  };
  std::vector<std::size_t> starts;
  std::vector<std::vector<Choice>> choices;
  Division start;
  start.left.place = kLeftHome;
  start.right.place = kRightHome;
  std::vector<Division> kept{start};
  for (std::size_t first = 0; first < notes.size();) {
    std::size_t last = first + 1;
    while (last < notes.size() && notes[last].begin == notes[first].begin) ++last;
    const auto slice = std::span(notes).subspan(first, last - first);
    std::vector<Division> next;
    for (std::size_t split = 0; split <= slice.size(); ++split) {
      std::optional<Division> best;
      for (std::size_t i = 0; i < kept.size(); ++i) {
        Division division = divide(kept[i], slice, split);
        division.parent = i;
        if (!best || division.price < best->price) best = division;
      }
      next.push_back(*best);
    }
    std::stable_sort(next.begin(), next.end(), [](const Division& a, const Division& b) { return a.price < b.price; });
    next.resize(std::min(next.size(), kKept));
    std::vector<Choice> here;
    for (const Division& division : next) here.push_back({division.split, division.parent});
    starts.push_back(first);
    choices.push_back(std::move(here));
    kept = std::move(next);
    first = last;
  }
  std::vector<bool> left(notes.size());
  std::size_t at = 0;  // the cheapest
  for (std::size_t slice = choices.size(); slice-- > 0;) {
    const Choice& choice = choices[slice][at];
    for (std::size_t i = 0; i < choice.split; ++i) left[starts[slice] + i] = true;
    at = choice.parent;
  }
  return left;
}

bool has_word(std::string text, std::initializer_list<const char*> words) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

/// For each track that has notes whether it is the left hand; nothing when the tracks are no hands.
std::optional<std::map<int, bool>> hands_by_track(const data::Score& score, const std::vector<PlacedNote>& notes) {
  std::map<int, std::vector<int>> pitches;
  for (const PlacedNote& note : notes) pitches[note.track].push_back(note.pitch);
  std::map<int, bool> left;
  std::array<bool, 2> named{};
  for (const auto& [track, unused] : pitches) {
    const std::string& name = score.tracks[static_cast<std::size_t>(track)].name;
    const bool is_left = has_word(name, {"left", "links", "gauche", "sinistra", "lower"});
    if (!is_left && !has_word(name, {"right", "rechts", "droite", "destra", "upper"})) break;
    named[is_left ? 1 : 0] = true;
    left[track] = is_left;
  }
  if (named[0] && named[1] && left.size() == pitches.size()) return left;
  if (pitches.size() != 2) return std::nullopt;
  constexpr int kFourth = 5;
  std::array<int, 2> medians{};
  for (std::size_t i = 0; auto& [track, of_track] : pitches) {
    const auto middle = of_track.begin() + static_cast<std::ptrdiff_t>(of_track.size() / 2);
    std::nth_element(of_track.begin(), middle, of_track.end());
    medians[i++] = *middle;
  }
  if (std::abs(medians[0] - medians[1]) < kFourth) return std::nullopt;
  left.clear();
  left[pitches.begin()->first] = medians[0] < medians[1];
  left[pitches.rbegin()->first] = medians[1] < medians[0];
  return left;
}

}  // namespace

std::vector<bool> left_hand(const data::Score& score, const std::vector<PlacedNote>& notes) {
  const auto by_track = hands_by_track(score, notes);
  if (!by_track) return search(notes);
  std::vector<bool> left;
  left.reserve(notes.size());
  for (const PlacedNote& note : notes) left.push_back(by_track->at(note.track));
  return left;
}

bool is_melody(const data::Score& score, const std::vector<PlacedNote>& notes) {
  const auto pitched = std::count_if(score.tracks.begin(), score.tracks.end(),
                                     [](const data::Track& track) { return !track.drums && !track.notes.empty(); });
  const auto together = std::adjacent_find(notes.begin(), notes.end(),
                                           [](const PlacedNote& a, const PlacedNote& b) { return a.end > b.begin; });
  return pitched == 1 && together == notes.end();
}

}  // namespace etude::render
