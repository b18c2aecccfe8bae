#include "tests/support/oracle.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "data/abc/abc.h"
#include "data/midi/midi.h"

// abc2midi of Debian's package abcmidi, played through our MIDI reader, which symusic vouches for.
namespace etude::data::abc {
namespace {

namespace fs = std::filesystem;

/// In quarters. By pitch first, so that small differences in time leave the order as it is.
struct Sounding {
  int pitch = 0;
  double start = 0;
  double end = 0;
  auto operator<=>(const Sounding&) const = default;
};

std::vector<Sounding> notes_of(const Score& score) {
  std::vector<Sounding> notes;
  const auto quarters = [&](std::int64_t ticks) { return static_cast<double>(ticks) / score.ticks_per_quarter; };
  for (const Track& track : score.tracks) {
    for (const Note& n : track.notes) notes.push_back({n.pitch, quarters(n.start), quarters(n.start + n.duration)});
  }
  std::sort(notes.begin(), notes.end());
  return notes;
}

/// abc2midi counts in 480ths of a quarter and begins its notes one of them late.
bool sound_the_same(const Score& ours, const Score& theirs) {
  constexpr double kTolerance = 2.5 / 480;
  const auto near = [](const Sounding& a, const Sounding& b) {
    return a.pitch == b.pitch && std::abs(a.start - b.start) < kTolerance && std::abs(a.end - b.end) < kTolerance;
  };
  const std::vector<Sounding> a = notes_of(ours), b = notes_of(theirs);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), near);
}

/// A tune as abc2midi should take it: without the things it plays and we pass over (hornpipe swing, rolls, trills, the
/// order of parts), with accidentals by octave and unbroken chords.
std::string for_abc2midi(const Tune& tune, int number) {
  std::string out = fmt::format("X:{}\n%%propagate-accidentals octave\n%%MIDI chordattack 0\n", number);
  std::istringstream lines(tune.text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("X:") || line.starts_with("R:") || line.starts_with("P:")) continue;
    std::erase(line, '~');
    for (std::size_t at = line.find("!trill!"); at != std::string::npos; at = line.find("!trill!")) line.erase(at, 7);
    out += line + '\n';
  }
  return out + '\n';
}

struct Agreement {
  int equal = 0;
  std::vector<std::string> different;
};

Agreement compare(const Book& book) {
  testing::TemporaryFolder folder;
  std::ofstream stream(folder.path() / "book.abc");
  for (std::size_t i = 0; i < book.tunes.size(); ++i) stream << for_abc2midi(book.tunes[i], static_cast<int>(i) + 1);
  stream.close();
  testing::run_shell("cd '" + folder.path().string() + "' && abc2midi book.abc -NGUI -NGRA -quiet -silent");
  Agreement agreement;
  for (std::size_t i = 0; i < book.tunes.size(); ++i) {
    const Tune& tune = book.tunes[i];
    const fs::path file = folder.path() / fmt::format("book{}.mid", i + 1);
    if (fs::exists(file) && sound_the_same(tune.score, midi::read(file))) {
      ++agreement.equal;
    } else {
      agreement.different.push_back(fmt::format("X:{} {} (line {})", tune.number, tune.title, tune.line));
    }
  }
  return agreement;
}

class AbcOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::run_shell("command -v abc2midi").exit_code != 0) GTEST_SKIP() << "abc2midi is not installed (abcmidi)";
  }
};

// Notation of which both programs keep the standard: our own tunes, so that they are here on every machine.
constexpr const char* kBook = R"(X:1
T:Two voices with overlays, an ending in each
M:3/4
L:1/8
Q:1/4=60
%%score {1 2}
V:1 clef=treble name="Right hand"
V:2 clef=bass
K:Gm
[V:1] "^dolce" !mf! B2 (A2 G2) | [GBd]4- [GBd]2 | ^F2 F2 z2 |1 G6 :|2 (3:2:3GAB c2 d2 |]
[V:2] G,2 D2 B,2 & G,,6 | G,,6 | D,6 |1 G,6 :|2 G,2 D4 |]

X:2
T:Voices by line, double repeats, broken rhythms of chords
M:C|
L:1/4
K:Eb
V:1
|: E>F G<A | [EG]2>[FA]2 :: B//B//B/B z2 | (3BcB (3:2:2A2G | Bc- c2 :|
V:2
|: E,2 G,2 | z2 x2 :: Z | E,,4 | B,,- [B,,F,]3 :|

X:3
T:Ties in chords, octaves, accidentals over ties
M:4/4
L:1/8
K:C
[CEA]4- [CEA]4 | [C-E]4 [CF]4 | c''2 C,,2 ^^F2 __B2 | ^c2 c2 c'2 =c2- | c2 c2 ^c4- | c8 | c8 |]

X:4
T:Tuplets
M:6/8
L:1/8
K:C
(2GA (4GABc | (5GABcd e3 | (6GABcde f3 | (9:6:9GABcdefga |

X:5
T:Endings
M:2/4
L:1/4
K:D
|: AB |1 cd :|2 ef :|3 gf |] |: D2 |[1,3 E2 :|[2,4 F2 :|

X:6
T:Changes of key, metre, unit and tempo
M:2/4
L:1/8
K:F
FGAB | [K:D] FGAB | [M:3/8] FGc | [L:1/4] FG/ | [M:2/4][L:1/8] ^FF F2 |
K:Bm
M:3/4
L:1/4
c d e | [Q:1/4=90] c2 d |

X:7
T:Keys
M:C
L:1/4
K:F#m
FCGD|
K:Bb Lydian
FCGE|
K:Ddor
FBCF|
K:E phr
FBCF|
K:C#
FBCE|
K:Gb
FBCE|
K:HP
FCGc|
K:G =f ^c
FCfc|

X:8
T:Clefs and octaves
M:4/4
L:1/4
V:1 clef=treble-8
V:2 octave=-1
V:3 transpose=2
K:C
V:1
c4|
V:2
c4|
V:3
c4|
)";

TEST_F(AbcOracle, FeaturesSoundAsInAbc2midi) {
  const Book book = parse(kBook);
  ASSERT_TRUE(book.problems.empty());
  const Agreement agreement = compare(book);
  EXPECT_EQ(agreement.different, std::vector<std::string>{});
  EXPECT_EQ(agreement.equal, 8);
}

// The rest are tunes whose repeats do not match up. abc2midi goes back to other places then, most often in a part
// without
// |: that follows second endings (which we play twice, and it does not).
TEST_F(AbcOracle, NineteenOfTwentyFolkTunesSoundAsInAbc2midi) {
  if (!testing::real_music()) GTEST_SKIP() << "no real music beside the project ($ETUDE_SHARED)";
  std::vector<fs::path> files{*testing::real_music() / "abc" / "irish.abc"};
  for (const auto& entry : fs::directory_iterator(*testing::real_music() / "abc" / "nottingham")) {
    if (entry.path().extension() == ".abc") files.push_back(entry.path());
  }
  int tunes = 0, problems = 0, equal = 0;
  for (const fs::path& file : files) {
    const Book book = read(file);
    const Agreement agreement = compare(book);
    tunes += static_cast<int>(book.tunes.size());
    problems += static_cast<int>(book.problems.size());
    equal += agreement.equal;
    for (const std::string& tune : agreement.different) fmt::print("{}: {}\n", file.filename().string(), tune);
  }
  fmt::print("{} of {} tunes sound the same; {} could not be read\n", equal, tunes, problems);
  EXPECT_GT(tunes, 1800);
  EXPECT_LT(problems, 10);
  EXPECT_GE(equal, tunes * 95 / 100);
}

}  // namespace
}  // namespace etude::data::abc
