// Sound as other programs read it: Python's wave module, numpy's FFT, the reference FLAC decoder.
#include "render/audio.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "framework/config/error.h"
#include "render/soundfont.h"
#include "tests/render/support.h"
#include "tests/support/oracle.h"

namespace etude::render {
namespace {

using ::testing::HasSubstr;
using testing::kTicks;
using testing::piano;

class Sound : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
    try {
      synthesizer_ = std::make_unique<Synthesizer>(find_soundfont(""));
    } catch (const UsageError& error) {
      GTEST_SKIP() << error.what();
    }
  }

  /// What a Python expression says of the score's sound: `left` are its samples within ±1, `rate` their rate, `level(a,
  /// b)` the loudest between two seconds, `pitch(a, b)` the frequency below 900 Hz with most energy there.
  double heard(const data::Score& score, const std::string& expression) {
    const auto file = folder_.path() / "sound.wav";
    write_audio(file, synthesizer_->play(score));
    return std::stod(testing::run_python(R"(
import sys, wave, numpy
sound = wave.open(sys.argv[1])
assert sound.getsampwidth() == 2 and sound.getnchannels() == 2
rate = sound.getframerate()
samples = numpy.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2) / 32768
left = samples[:, 0]
def part(a, b): return left[int(a * rate):int(b * rate)]
def level(a, b): return abs(part(a, b)).max()
def pitch(a, b):
    piece = part(a, b)
    energy = abs(numpy.fft.rfft(piece * numpy.hanning(len(piece)), 1 << 19))
    return energy[:int(900 / rate * (1 << 19))].argmax() * rate / (1 << 19)
print(float(eval(sys.argv[2])))
)",
                                         {file.string(), expression}));
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<Synthesizer> synthesizer_;
};

TEST_F(Sound, IsSilentBeforeTheFirstNoteAndDiesAwayAfterTheLast) {
  // One quarter at 120 from second 1 to 1.5.
  const data::Score score = piano({{2 * kTicks, kTicks, 69, 100}});
  EXPECT_EQ(heard(score, "level(0, 0.99)"), 0);
  EXPECT_GT(heard(score, "level(1, 1.1)"), 0.1);
  EXPECT_LT(heard(score, "abs(samples[-100:]).max()"), 0.001);
  const double seconds = heard(score, "len(left) / rate");
  EXPECT_GT(seconds, 1.5);
  EXPECT_LT(seconds, 12);
}

TEST_F(Sound, HasThePitchesOfItsNotes) {
  // A4 is 440 Hz and sounds in the first second; E5 an equally tempered fifth above, 659.26 Hz, in the second.
  const data::Score score = piano({{0, 2 * kTicks, 69, 100}, {2 * kTicks, 2 * kTicks, 76, 100}});
  EXPECT_NEAR(heard(score, "pitch(0.1, 0.9)"), 440.0, 3);
  EXPECT_NEAR(heard(score, "pitch(1.3, 1.9)"), 659.26, 4);
}

TEST_F(Sound, FollowsTempoChanges) {
  data::Score score = piano({{4 * kTicks, kTicks, 69, 100}});
  score.tempos = {{0, 120}, {2 * kTicks, 30}};  // two quarters of 0.5 s, then two of 2 s: the note begins at 5 s
  EXPECT_EQ(heard(score, "level(0, 4.99)"), 0);
  EXPECT_GT(heard(score, "level(5, 5.1)"), 0.1);
}

TEST_F(Sound, IsLouderForAHigherVelocityAndNeverClips) {
  data::Score score = piano({{0, kTicks, 60, 30}, {8 * kTicks, kTicks, 60, 110}});
  EXPECT_GT(heard(score, "level(4, 4.5) / level(0, 0.5)"), 2);
  for (int pitch = 30; pitch < 90; ++pitch) score.tracks[0].notes.push_back({16 * kTicks, kTicks, pitch, 127});
  // -1 dB of full scale is 10^(-1/20) = 0.891, in whichever of the two channels is louder.
  EXPECT_NEAR(heard(score, "abs(samples).max()"), 0.891, 0.001);
}

TEST_F(Sound, GoesOnUnderThePedal) {
  data::Score score = piano({{0, kTicks, 60, 100}, {8 * kTicks, kTicks, 40, 1}});
  const double without = heard(score, "level(1.5, 2) / level(0, 0.5)");
  score.tracks[0].pedals = {{0, 6 * kTicks}};  // down for three seconds
  EXPECT_GT(heard(score, "level(1.5, 2) / level(0, 0.5)"), 10 * without);
  // The hands of one player share a pedal, whichever track it stands in.
  data::Score hands = score;
  hands.tracks.push_back({"left", 0, false, {}, hands.tracks[0].pedals});
  hands.tracks[0].pedals.clear();
  EXPECT_EQ(synthesizer_->play(hands).samples, synthesizer_->play(score).samples);
}

TEST_F(Sound, HoldsAKeyUntilTheLastOfTwoNotesOnItEnds) {
  const data::Score score = piano({{0, 8 * kTicks, 60, 100}, {kTicks, kTicks, 60, 100}});
  EXPECT_GT(heard(score, "level(2.5, 3)"), 0.02);
}

TEST_F(Sound, IsTheSameEachTimeWhateverWasPlayedBefore) {
  const data::Score score = piano({{0, kTicks, 60, 100}, {kTicks, kTicks, 64, 90}, {kTicks, kTicks, 67, 80}});
  const std::string first = encode(synthesizer_->play(score), AudioFormat::kFlac);
  synthesizer_->play(piano({{0, 20 * kTicks, 30, 127}}));
  EXPECT_TRUE(encode(synthesizer_->play(score), AudioFormat::kFlac) == first);
  const Synthesizer another(synthesizer_->soundfont());
  EXPECT_TRUE(encode(another.play(score), AudioFormat::kFlac) == first);
}

TEST_F(Sound, FlacDecodesToTheSamplesOfTheWav) {
  if (testing::run_shell("flac --version").exit_code != 0) GTEST_SKIP() << "no flac: script/setup --test installs it";
  const Audio audio = synthesizer_->play(piano({{0, kTicks, 60, 100}, {kTicks, kTicks, 64, 90}}));
  write_audio(folder_.path() / "one.wav", audio);
  write_audio(folder_.path() / "one.flac", audio);
  const std::string at = folder_.path().string();
  const auto decoded = testing::run_shell("flac -s -d --force-raw-format --endian=little --sign=signed -o " + at +
                                          "/one.raw " + at + "/one.flac");
  ASSERT_EQ(decoded.exit_code, 0) << decoded.errors;
  const std::string wav = testing::slurp(folder_.path() / "one.wav"), raw = testing::slurp(folder_.path() / "one.raw");
  ASSERT_GT(raw.size(), 100'000U);
  EXPECT_TRUE(wav.ends_with(raw));
}

TEST_F(Sound, AnHourAtTheMost) {
  EXPECT_NO_THROW(synthesizer_->play(piano({})));
  try {
    synthesizer_->play(piano({{std::int64_t{8000} * kTicks, kTicks, 60, 100}}));
    FAIL() << "was played";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--seconds"));
  }
}

TEST(Soundfont, IsAskedForByThePackagesNameWhereThereIsNone) {
  const char* set = std::getenv("ETUDE_SOUNDFONT");
  const std::string before = set == nullptr ? "" : set;
  ::unsetenv("ETUDE_SOUNDFONT");
  try {
    find_soundfont("", {"/nonexistent/one.sf2"});
    FAIL() << "found one";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("fluidr3mono-gm-soundfont"));
    EXPECT_THAT(error.what(), HasSubstr("--soundfont"));
  }
  testing::TemporaryFolder folder;
  const auto given = folder.path() / "given.sf2", named = folder.path() / "named.sf2",
             usual = folder.path() / "usual.sf2";
  for (const auto& file : {given, named, usual}) std::ofstream(file) << "RIFF";
  EXPECT_EQ(find_soundfont("", {"/nonexistent", usual}), usual);
  ::setenv("ETUDE_SOUNDFONT", named.c_str(), 1);
  EXPECT_EQ(find_soundfont("", {usual}), named);
  EXPECT_EQ(find_soundfont(given, {usual}), given);
  EXPECT_THROW(find_soundfont("/nonexistent/one.sf2", {usual}), UsageError);
  before.empty() ? ::unsetenv("ETUDE_SOUNDFONT") : ::setenv("ETUDE_SOUNDFONT", before.c_str(), 1);
  EXPECT_THROW(Synthesizer{given}, Error);  // named like one, and is none
}

}  // namespace
}  // namespace etude::render
