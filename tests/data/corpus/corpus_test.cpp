#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/abc/abc.h"
#include "data/music/score.h"

namespace {

using namespace etude::data;

struct Entry {
  std::string file;
  abc::Tune tune;
};

std::vector<Entry> read_corpus() {
  std::vector<Entry> entries;
  for (const auto& file : std::filesystem::directory_iterator(ETUDE_SOURCE_DIR "/data/corpus")) {
    if (file.path().extension() != ".abc") continue;
    abc::Book book = abc::read(file.path());
    for (const abc::Problem& problem : book.problems)
      ADD_FAILURE() << file.path() << ":" << problem.line << ":" << problem.column << ": " << problem.what;
    for (abc::Tune& tune : book.tunes) entries.push_back({file.path().filename().string(), std::move(tune)});
  }
  return entries;
}

const std::vector<Entry>& corpus() {
  static const std::vector<Entry> entries = read_corpus();
  return entries;
}

const abc::Tune& tune_named(const std::string& part) {
  const auto found = std::find_if(corpus().begin(), corpus().end(),
                                  [&](const Entry& e) { return e.tune.title.find(part) != std::string::npos; });
  if (found == corpus().end()) throw std::runtime_error("the corpus has no tune named " + part);
  return found->tune;
}

std::vector<Note> notes_by_start(const Score& score) {
  std::vector<Note> notes;
  for (const Track& track : score.tracks) notes.insert(notes.end(), track.notes.begin(), track.notes.end());
  std::stable_sort(notes.begin(), notes.end(), [](const Note& a, const Note& b) {
    return std::pair(a.start, a.pitch) < std::pair(b.start, b.pitch);
  });
  return notes;
}

std::vector<int> pitches_between(const Score& score, std::int64_t begin, std::int64_t end) {
  std::vector<int> pitches;
  for (const Note& note : notes_by_start(score))
    if (note.start >= begin && note.start < end) pitches.push_back(note.pitch);
  return pitches;
}

std::int64_t bar_ticks(const Score& score) {
  const TimeSignature metre = score.time_signatures.empty() ? TimeSignature{} : score.time_signatures.front();
  return score.ticks_per_quarter * 4LL * metre.numerator / metre.denominator;
}

TEST(Corpus, HoldsSixtyTraditionalTunesAtLeast) {
  const auto traditional = std::count_if(corpus().begin(), corpus().end(), [](const Entry& e) {
    return e.tune.composer == "Trad." || e.tune.composer == "Anon.";
  });
  EXPECT_GE(traditional, 60);
}

TEST(Corpus, NamesEveryTuneItsComposerAndSource) {
  for (const Entry& e : corpus()) {
    SCOPED_TRACE(e.file + " X:" + std::to_string(e.tune.number));
    EXPECT_FALSE(e.tune.title.empty());
    EXPECT_FALSE(e.tune.composer.empty());
    EXPECT_FALSE(e.tune.source.empty());
  }
}

TEST(Corpus, NumbersAndTitlesAreUnique) {
  std::set<std::pair<std::string, int>> numbers;
  std::set<std::string> titles;
  for (const Entry& e : corpus()) {
    EXPECT_TRUE(numbers.emplace(e.file, e.tune.number).second) << e.file << " X:" << e.tune.number;
    EXPECT_TRUE(titles.insert(e.tune.title).second) << e.tune.title;
  }
}

TEST(Corpus, HoldsPianoPiecesByChopinAndBach) {
  EXPECT_THAT(tune_named("op. 28 no. 4").composer, testing::HasSubstr("Chopin"));
  EXPECT_THAT(tune_named("op. 28 no. 20").composer, testing::HasSubstr("Chopin"));
  EXPECT_THAT(tune_named("op. 9 no. 2").composer, testing::HasSubstr("Chopin"));
  EXPECT_THAT(tune_named("BWV 846").composer, testing::HasSubstr("Bach"));
}

TEST(Corpus, VoicesOfATuneEndInTheSameBar) {
  for (const Entry& e : corpus()) {
    std::set<std::int64_t> last_bars;
    for (const Track& track : e.tune.score.tracks) {
      if (track.notes.empty()) continue;
      std::int64_t end = 0;
      for (const Note& note : track.notes) end = std::max(end, note.start + note.duration);
      last_bars.insert((end - 1) / bar_ticks(e.tune.score));
    }
    // Voices of a round stop one after the other, with written rests.
    const bool round = e.tune.source.find("bars behind") != std::string::npos;
    if (!round) {
      EXPECT_EQ(last_bars.size(), 1U) << e.file << ": " << e.tune.title;
    }
  }
}

// The notes below are those of the pieces as anybody plays them, counted by hand from middle C = 60.
TEST(Corpus, PreludeInCIsWhatBachWrote) {
  const Score& score = tune_named("BWV 846").score;
  EXPECT_EQ(end_of(score), 35 * bar_ticks(score));
  EXPECT_THAT(pitches_between(score, 0, bar_ticks(score)),
              testing::ElementsAre(60, 64, 67, 72, 76, 67, 72, 76, 60, 64, 67, 72, 76, 67, 72, 76));
  EXPECT_THAT(pitches_between(score, 34 * bar_ticks(score), 35 * bar_ticks(score)),
              testing::ElementsAre(36, 48, 64, 67, 72));
}

TEST(Corpus, ChopinsPreludeInCMinorBeginsAndEndsItsFirstBarOnC) {
  const Score& score = tune_named("op. 28 no. 20").score;
  const std::int64_t quarter = score.ticks_per_quarter;
  EXPECT_THAT(pitches_between(score, 0, quarter), testing::ElementsAre(36, 48, 55, 60, 63, 67));
  EXPECT_THAT(pitches_between(score, 3 * quarter, 4 * quarter), testing::ElementsAre(36, 43, 48, 51, 55, 60, 63));
}

TEST(Corpus, ChopinsPreludeInEMinorHasEightChordsABarUnderALongB) {
  const Score& score = tune_named("op. 28 no. 4").score;
  const std::int64_t bar = bar_ticks(score);
  const std::vector<int> first = pitches_between(score, bar, 2 * bar);
  EXPECT_EQ(std::count(first.begin(), first.end(), 55), 8);  // G3 under every chord
  EXPECT_EQ(std::count(first.begin(), first.end(), 71), 1);  // B4, held
  EXPECT_EQ(std::count(first.begin(), first.end(), 72), 1);  // C5, the sigh
}

TEST(Corpus, RepeatsArePlayed) {
  // Two strains of eight bars, each twice.
  const Score& score = tune_named("Swallowtail Jig").score;
  EXPECT_EQ(end_of(score), 32 * bar_ticks(score));
}

}  // namespace
