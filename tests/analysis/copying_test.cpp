#include "analysis/copying.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/note_stream.h"
#include "analysis/suffix_array.h"
#include "tests/analysis/tunes.h"

namespace etude::analysis {
namespace {

using testing::Dice;
using testing::nonsense;

CopyIndex index_of(std::vector<NamedScore> pieces) {
  std::size_t next = 0;
  return CopyIndex([&]() -> std::optional<NamedScore> {
    if (next == pieces.size()) return std::nullopt;
    return pieces[next++];
  });
}

std::vector<NamedScore> training_set() {
  std::vector<NamedScore> pieces;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    pieces.push_back({"piece-" + std::to_string(seed), nonsense(seed, 150)});
    // Bars of 1440 ticks up to tick 14400, then of 1920.
    pieces.back().score.time_signatures = {{0, 3, 4}, {14400, 4, 4}};
  }
  return pieces;
}

/// The notes of `source` that begin in [from, to), put at `time` of `into`, whose resolution is twice as fine, moved by
/// `semitones`, and played otherwise; chords are listed from above. Says how many they are.
std::int64_t plant(const data::Score& source, std::int64_t from, std::int64_t to, data::Score& into, std::int64_t time,
                   int semitones) {
  data::Track track;
  for (const data::Note& note : source.tracks[0].notes) {
    if (note.start < from || note.start >= to) continue;
    track.notes.push_back({time + 2 * (note.start - from), note.duration / 2, note.pitch + semitones, 33});
  }
  std::ranges::reverse(track.notes);
  std::ranges::stable_sort(track.notes, {}, &data::Note::start);
  const auto count = std::ssize(track.notes);
  into.tracks.push_back(std::move(track));
  return count;
}

data::Score empty_in_finer_ticks() {
  data::Score score;
  score.ticks_per_quarter = 960;
  score.tempos = {{0, 60.0}};
  return score;
}

TEST(Copying, APlantedExcerptIsFoundWithItsSourceItsBarsAndTheTransposition) {
  const auto pieces = training_set();
  const data::Score& source = pieces[6].score;
  data::Score piece = empty_in_finer_ticks();
  const auto begin = std::ranges::find_if(source.tracks[0].notes, [](auto& note) { return note.start >= 18300; });
  const std::int64_t from = begin->start, to = from + 9600;
  const std::int64_t time = 3840 * 4 + 960;  // in the fifth bar of 4/4
  const std::int64_t planted = plant(source, from, to, piece, time, -5);

  const Copying found = index_of(pieces).compare(piece);
  ASSERT_TRUE(found.longest);
  EXPECT_EQ(found.longest->notes, planted);
  EXPECT_EQ(found.longest->source, "piece-7");
  EXPECT_EQ(found.longest->semitones, -5);
  EXPECT_EQ(found.longest->bar, 5);
  EXPECT_EQ(found.longest->source_bar, 11 + (from - 14400) / 1920);  // ten bars of 3/4 come before
  EXPECT_GE(found.longest->source_last_bar, found.longest->source_bar + 4);
  EXPECT_LE(found.longest->source_last_bar, found.longest->source_bar + 5);
  // 9600 ticks are 20 quarters, of a second each; the last onset may come up to three eighths before their end.
  EXPECT_NEAR(found.longest->seconds, 19, 1.3);
  EXPECT_DOUBLE_EQ(found.overlap.at(32), 1.0);
  EXPECT_LT(found.longest_exact ? found.longest_exact->telling : 0, 8);
  EXPECT_DOUBLE_EQ(found.overlap_exact.at(8), 0.0);
}

TEST(Copying, AnExcerptAtItsOwnPitchIsAnExactCopy) {
  const auto pieces = training_set();
  data::Score piece = empty_in_finer_ticks();
  const std::int64_t planted = plant(pieces[3].score, 4800, 9600, piece, 0, 0);
  const Copying found = index_of(pieces).compare(piece);
  ASSERT_TRUE(found.longest_exact);
  EXPECT_EQ(found.longest_exact->notes, planted);
  EXPECT_EQ(found.longest_exact->source, "piece-4");
  EXPECT_EQ(found.longest->semitones, 0);
  EXPECT_DOUBLE_EQ(found.overlap_exact.at(16), 1.0);
}

TEST(Copying, WhereMusicStandsTwiceTheSourceAtItsPitchIsNamed) {
  data::Score higher = nonsense(1, 100);
  for (data::Note& note : higher.tracks[0].notes) note.pitch += 2;
  const CopyIndex index = index_of({{"higher", higher}, {"same", nonsense(1, 100)}, {"again", nonsense(1, 100)}});
  const Copying found = index.compare(nonsense(1, 100));
  EXPECT_EQ(found.longest->source, "same");
  EXPECT_EQ(found.longest->semitones, 0);
}

TEST(Copying, NoteValuesTwiceAsLongAreTheSameMusic) {
  const auto pieces = training_set();
  data::Score piece = pieces[0].score;
  for (data::Note& note : piece.tracks[0].notes) note.start *= 2;
  const Copying found = index_of(pieces).compare(piece);
  EXPECT_EQ(found.longest->notes, found.notes);
}

TEST(Copying, DoublingInOctavesMakesNoOtherMusic) {
  const auto pieces = training_set();
  for (const int octave : {12, -12}) {
    data::Score piece = pieces[4].score;
    auto& notes = piece.tracks[0].notes;
    const std::size_t written = notes.size();
    for (std::size_t i = 0; i < written; ++i) {
      notes.push_back(notes[i]);
      notes.back().pitch += octave;
    }
    const Copying found = index_of(pieces).compare(piece);
    ASSERT_TRUE(found.longest);
    EXPECT_EQ(found.longest->source, "piece-5");
    EXPECT_EQ(found.longest->notes, found.notes);
    EXPECT_EQ(found.longest->semitones, octave > 0 ? 0 : octave);
  }
}

TEST(Copying, OneChangedNoteSplitsARun) {
  const auto pieces = training_set();
  data::Score piece = pieces[9].score;
  const Copying whole = index_of(pieces).compare(piece);
  EXPECT_EQ(whole.longest->notes, whole.notes);
  // The highest of its chord, and higher than before, so that it stays where it is in the order of notes.
  auto& notes = piece.tracks[0].notes;
  std::int64_t changed = whole.notes / 3;
  while (notes[static_cast<std::size_t>(changed)].start == notes[static_cast<std::size_t>(changed) + 1].start)
    ++changed;
  notes[static_cast<std::size_t>(changed)].pitch += 1;
  const Copying split = index_of(pieces).compare(piece);
  EXPECT_EQ(split.longest->notes, whole.notes - changed - 1);
}

TEST(Copying, OtherMusicSharesNothingThatMatters) {
  const CopyIndex index = index_of(training_set());
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    const Copying found = index.compare(nonsense(seed, 150));
    EXPECT_LT(found.longest->telling, 8);
    EXPECT_DOUBLE_EQ(found.overlap.at(8), 0.0);
  }
}

TEST(Copying, ScalesTrillsAndRepeatedNotesSayNothingHoweverLong) {
  const auto tune = [](auto pitch) {
    data::Score score;
    score.tracks.resize(1);
    for (int i = 0; i < 35; ++i) score.tracks[0].notes.push_back({i * 120, 100, pitch(i), 64});
    return score;
  };
  const std::vector<int> major{0, 2, 4, 5, 7, 9, 11};
  const std::vector<int> alberti{48, 55, 52, 55};
  const data::Score scale = tune([&](int i) { return 36 + 12 * (i / 7) + major[static_cast<std::size_t>(i % 7)]; });
  const data::Score trill = tune([](int i) { return 72 + i % 2; });
  const data::Score repeated = tune([](int) { return 60; });
  const data::Score bass = tune([&](int i) { return alberti[static_cast<std::size_t>(i % 4)]; });
  const CopyIndex index = index_of({{"scale", scale}, {"trill", trill}, {"repeated", repeated}, {"bass", bass}});
  for (const data::Score* score : {&scale, &trill, &repeated, &bass}) {
    const Copying found = index.compare(*score);
    EXPECT_EQ(found.longest->notes, 35);
    EXPECT_LT(found.longest->telling, 8);
    EXPECT_DOUBLE_EQ(found.overlap.at(8), 0.0);
  }
}

TEST(Copying, SilenceSharesNothing) {
  const CopyIndex nothing = index_of({});
  EXPECT_FALSE(nothing.compare(nonsense(1, 10)).longest);
  const CopyIndex index = index_of({{"silence", {}}, {"piece", nonsense(1, 10)}, {"more silence", {}}});
  EXPECT_FALSE(index.compare({}).longest);
  EXPECT_EQ(index.compare(nonsense(1, 10)).longest->source, "piece");
}

/// What RunIndex calls the same, note by note: how far from `a` and `b` on.
std::int64_t same_notes(const std::vector<StreamNote>& one, std::size_t a, const std::vector<StreamNote>& other,
                        std::size_t b, bool exact) {
  if (exact && one[a].pitch != other[b].pitch) return 0;
  std::int64_t way_before_one = 0, way_before_other = 0;
  std::int64_t notes = 1;
  for (std::size_t i = 1; a + i < one.size() && b + i < other.size(); ++i, ++notes) {
    if (one[a + i].pitch - one[a].pitch != other[b + i].pitch - other[b].pitch) break;
    const std::int64_t way_one = one[a + i].step - one[a + i - 1].step;
    const std::int64_t way_other = other[b + i].step - other[b + i - 1].step;
    if ((way_one == 0) != (way_other == 0)) break;
    if (way_one == 0) continue;
    const auto compared = [](std::int64_t way, std::int64_t before) {
      const double ratio = static_cast<double>(way) / static_cast<double>(before);
      return ratio < 0.6 ? -1 : ratio > 5.0 / 3 ? 1 : 0;
    };
    if (way_before_one > 0 && compared(way_one, way_before_one) != compared(way_other, way_before_other)) break;
    way_before_one = way_one;
    way_before_other = way_other;
  }
  return notes >= 2 ? notes : 0;
}

/// Music of so few pitches and lengths that much of it is shared.
data::Score monotonous(Dice& dice) {
  data::Score score;
  score.ticks_per_quarter = static_cast<int>(kStepsPerQuarter);
  score.tracks.resize(1);
  std::int64_t time = 0;
  for (int i = dice.roll(0, 40); i > 0; --i) {
    score.tracks[0].notes.push_back({time, 1, 60 + dice.roll(0, 2), 64});
    time += dice.roll(0, 3) == 0 ? 0 : 1 << dice.roll(0, 1);
  }
  return score;
}

TEST(RunIndex, AgreesWithComparingEachNoteWithEachOther) {
  Dice dice(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<StreamNote>> streams;
    std::vector<std::uint8_t> pitches;
    std::vector<Follows> follows;
    std::vector<std::int64_t> begins;
    for (int i = 0; i < 3; ++i) {
      streams.push_back(note_stream(monotonous(dice)));
      begins.push_back(std::ssize(pitches));
      for (const StreamNote& note : streams.back()) pitches.push_back(static_cast<std::uint8_t>(note.pitch));
      const auto more = rhythm(streams.back());
      follows.insert(follows.end(), more.begin(), more.end());
    }
    const auto query = note_stream(monotonous(dice));
    for (const bool exact : {false, true}) {
      const RunIndex index(exact ? Pitches::kExact : Pitches::kMoved, pitches, follows, begins);
      const auto found = index.longest_from(query);
      for (std::size_t a = 0; a < query.size(); ++a) {
        std::int64_t longest = 0;
        std::vector<std::int64_t> places;
        for (std::size_t piece = 0; piece < streams.size(); ++piece) {
          for (std::size_t b = 0; b < streams[piece].size(); ++b) {
            const std::int64_t notes = same_notes(query, a, streams[piece], b, exact);
            if (notes > longest) places.clear();
            longest = std::max(longest, notes);
            if (notes == longest) places.push_back(begins[piece] + static_cast<std::int64_t>(b));
          }
        }
        ASSERT_EQ(found[a], longest) << "round " << round << ", note " << a << (exact ? ", exact" : "");
        if (longest == 0) continue;
        std::vector<std::int64_t> told;
        index.find(query, static_cast<std::int64_t>(a), longest, [&](std::int64_t note) { told.push_back(note); });
        ASSERT_THAT(told, ::testing::UnorderedElementsAreArray(places));
      }
    }
  }
}

TEST(SuffixArray, IsTheOrderOfAllSuffixes) {
  Dice dice(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int32_t> text(static_cast<std::size_t>(dice.roll(0, 60)));
    const int alphabet = dice.roll(1, 5);
    for (std::int32_t& symbol : text) symbol = dice.roll(0, alphabet - 1);
    std::vector<std::int32_t> expected(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) expected[i] = static_cast<std::int32_t>(i);
    std::ranges::sort(expected, [&](std::int32_t a, std::int32_t b) {
      return std::lexicographical_compare(text.begin() + a, text.end(), text.begin() + b, text.end());
    });
    ASSERT_EQ(suffix_array(text, alphabet), expected);
  }
}

}  // namespace
}  // namespace etude::analysis
