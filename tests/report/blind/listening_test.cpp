#include "report/blind/listening.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "render/soundfont.h"
#include "report/blind/excerpt.h"
#include "report/blind/recording.h"
#include "tests/report/blind/music.h"
#include "tests/support/oracle.h"

namespace etude::blind {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::vector<Source> two_models(std::size_t pieces = 10, double seconds = 40) {
  return {source_of("gpt2-large", pieces, seconds, 1), source_of("transformer_xl", pieces, seconds, 20)};
}

ListeningOptions seeded(std::uint64_t seed) {
  ListeningOptions options;
  options.seed = seed;
  return options;
}

/// What stands in the page between two texts.
std::string between(const std::string& page, const std::string& from, const std::string& to) {
  const std::size_t begin = page.find(from) + from.size();
  return page.substr(begin, page.find(to, begin) - begin);
}
json session_in(const std::string& page) { return json::parse(between(page, R"(id="session">)", "</script>")); }
json clip_in(const std::string& page, const std::string& id) {
  return json::parse(between(page, fmt::format(R"(id="clip-{}">)", id), "</script>"));
}

TEST(ListeningPage, SaysNothingOfWhereAPieceIsFrom) {
  auto sources = two_models();
  sources.push_back(source_of("Chopin", 10, 40, 50));
  sources.back().model.human = true;
  const Record record = [](const data::Score& score, double) {
    std::string all = score.title + score.composer;
    for (const data::Track& track : score.tracks) all += track.name;
    EXPECT_EQ(all, "") << "what could end up in the sound file";
    EXPECT_TRUE(score.key_signatures.empty());
    return std::string("fLaC");
  };
  for (const Record& each : {Record(), record}) {
    const Listening made = make_listening(sources, seeded(987654321), each);
    for (const std::string telling : {"gpt2", "transformer", "Chopin", "generated", ".mid", "runs/", "title of",
                                      "track of", "composer of", "human", "people", "987654321", "\"model\""}) {
      std::string shown = made.page;
      EXPECT_EQ(shown.find(telling), std::string::npos)
          << telling << ": " << shown.substr(std::min(shown.size(), shown.find(telling)), 60);
    }
    // The key knows it all.
    EXPECT_EQ(made.key.models.size(), 3u);
    for (const auto& [id, piece] : made.key.pieces)
      EXPECT_THAT(piece.file, HasSubstr(made.key.models[piece.model].name));
  }
}

// Over 300 seeds, whether the first id in the page, the first piece of the first round, and the smallest of all ids
// belong to the first model given are throws of a coin: five deviations are 43.
TEST(ListeningPage, NothingInItsOrderFollowsTheModels) {
  int first_in_page = 0, first_heard = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Listening made =
        make_listening(two_models(3, 10), seeded(seed), [](const data::Score&, double) { return "x"; });
    first_in_page += made.key.pieces.at(between(made.page, "id=\"clip-", "\"")).model == 0;
    first_heard += made.key.pieces.at(session_in(made.page)["rounds"][0][0][0].get<std::string>()).model == 0;
  }
  EXPECT_NEAR(first_in_page, 150, 43);
  EXPECT_NEAR(first_heard, 150, 43);
}

TEST(ListeningPage, HoldsWhatIsComparedAndNoMore) {
  const Listening made = make_listening(two_models(25), seeded(3), {});
  const json session = session_in(made.page);
  EXPECT_EQ(made.key.pieces.size(), 40u);  // where nobody asks
  std::size_t number = 0;
  for (const json& round : session["rounds"]) {
    for (const json& pair : round) {
      EXPECT_EQ(pair, json(made.key.comparisons.at(number++)));
      for (const json& id : pair) EXPECT_FALSE(clip_in(made.page, id).empty());
    }
  }
  EXPECT_EQ(number, made.key.comparisons.size());
  EXPECT_EQ(session["session"], made.key.session);
}

TEST(ListeningPage, FollowsItsSeed) {
  const Listening one = make_listening(two_models(), seeded(1), {}), same = make_listening(two_models(), seeded(1), {}),
                  other = make_listening(two_models(), seeded(2), {});
  EXPECT_EQ(one.page, same.page);
  EXPECT_NE(one.key.session, other.key.session);
}

TEST(ListeningPage, PlaysNotesAsTheyAre) {
  const std::vector<Source> sources = two_models(1, 12);
  const Listening made = make_listening(sources, seeded(1), {});
  for (const auto& [id, piece] : made.key.pieces) {
    const auto& notes = sources[piece.model].pieces[0].score.tracks[0].notes;
    const json heard = clip_in(made.page, id);
    ASSERT_EQ(heard.size(), notes.size());
    for (std::size_t i = 0; i < notes.size(); ++i) {
      // 960 ticks are a second at 120 quarters a minute; the first note begins the excerpt.
      EXPECT_EQ(heard[i], json({static_cast<double>(i) * 0.125, 0.125, notes[i].pitch, notes[i].velocity}));
    }
  }
}

TEST(ListeningPage, HearsAllPiecesForEquallyLong) {
  auto sources = two_models(10, 60);
  sources[1] = source_of("short", 10, 20, 3);
  const Listening made = make_listening(sources, seeded(1), {});
  EXPECT_NEAR(made.key.seconds, 20, 0.1);
  EXPECT_THAT(made.remarks, ::testing::Contains(HasSubstr("as long as the shortest")));
  for (const auto& [id, piece] : made.key.pieces) {
    const json last = clip_in(made.page, id).back();
    EXPECT_NEAR(last[0].get<double>() + last[1].get<double>(), made.key.seconds, 0.13);
  }
}

TEST(ListeningPage, LeavesOutPiecesTooShortToJudge) {
  auto sources = two_models(6, 40);
  sources[0].pieces.push_back({"generated/tiny.mid", tell_tale("tiny", 2, 1)});
  sources[0].pieces.push_back({"generated/empty.mid", {}});
  const Listening made = make_listening(sources, seeded(1), {});
  EXPECT_DOUBLE_EQ(made.key.seconds, 30);
  EXPECT_EQ(made.key.pieces.size(), 12u);
}

TEST(ListeningPage, RefusesWhatCannotBeCompared) {
  const auto refusal = [](std::vector<Source> sources, ListeningOptions options) -> std::string {
    try {
      make_listening(std::move(sources), options, {});
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal({source_of("alone", 3, 30, 1)}, {}), HasSubstr("two models or more"));
  EXPECT_THAT(refusal({source_of("long", 3, 30, 1), source_of("brief", 3, 4, 1)}, {}),
              HasSubstr("runs/brief: 0 of its 3 pieces"));
  ListeningOptions many;
  many.pieces = 5;
  EXPECT_THAT(refusal(two_models(4), many), HasSubstr("4 of its 4 pieces last 8 s or longer, and 5 are needed"));
  EXPECT_THAT(refusal({source_of("same", 3, 30, 1), source_of("same", 3, 30, 1)}, {}), HasSubstr("given twice"));
}

TEST(ListeningPage, TellsRunsOfOneNameApart) {
  auto sources = two_models(2);
  sources[0].model = {"demo", "monday/demo", false};
  sources[1].model = {"demo", "tuesday/demo", false};
  const Listening made = make_listening(std::move(sources), seeded(1), {});
  EXPECT_EQ(made.key.models[0].name, "monday/demo");
  EXPECT_EQ(made.key.models[1].name, "tuesday/demo");
}

TEST(ListeningPage, NoQuestionBecomesMarkup) {
  ListeningOptions options = seeded(1);
  options.questions = {"</script><script>hacked = 1</script>"};
  const Listening made = make_listening(two_models(2), options, {});
  EXPECT_EQ(made.page.find("<script>hacked"), std::string::npos);
  EXPECT_EQ(session_in(made.page)["questions"][1], options.questions[0]);
}

// A quarter at 60, from its middle on at 120: the first note begins at 0.5 s, and what is heard is the half second of
// it at 60 and a second and a half at 120.
TEST(Excerpt, KeepsTempoAndLoudnessFromTheFirstNoteOn) {
  data::Score score;
  score.ticks_per_quarter = 100;
  score.tempos = {{0, 60}, {100, 120}};
  score.tracks = {
      {"hands", 5, false, {{50, 100, 60, 33}, {250, 1000, 61, 44}, {900, 10, 62, 55}}, {{0, 120}, {800, 200}}}};
  const data::Score cut = excerpt(score, 2);
  EXPECT_EQ(cut.tempos, (std::vector<data::Tempo>{{0, 60}, {50, 120}}));
  ASSERT_EQ(cut.tracks.size(), 1u);
  EXPECT_EQ(cut.tracks[0].program, 5);
  EXPECT_EQ(cut.tracks[0].name, "");
  EXPECT_EQ(cut.tracks[0].notes, (std::vector<data::Note>{{0, 100, 60, 33}, {200, 150, 61, 44}}));
  EXPECT_EQ(cut.tracks[0].pedals, (std::vector<data::Pedal>{{0, 70}}));
  EXPECT_DOUBLE_EQ(data::seconds_at(cut, data::end_of(cut)), 2);
  EXPECT_EQ(sounding_seconds(data::Score()), 0);
}

class SourceFolders : public ::testing::Test {
 protected:
  std::filesystem::path write_midi(const std::string& name, const data::Score& score) const {
    const auto file = folder_.path() / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << data::midi::serialize(score);
    return file;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(SourceFolders, OfARunAreItsGeneratedPieces) {
  write_midi("demo/generated/2.mid", tell_tale("b", 10, 2));
  write_midi("demo/generated/1.mid", tell_tale("a", 10, 1));
  std::ofstream(folder_.path() / "demo/generated/3.mid") << "MThd, but no more";
  std::ofstream(folder_.path() / "demo/generated/notes.txt") << "x";
  const Source source = pieces_of_run(folder_.path() / "demo/");
  EXPECT_EQ(source.model.name, "demo");
  ASSERT_EQ(source.pieces.size(), 2u);
  EXPECT_EQ(source.pieces[0].file, "generated/1.mid");
  ASSERT_EQ(source.remarks.size(), 1u);
  EXPECT_THAT(source.remarks[0], HasSubstr("3.mid"));
  try {
    pieces_of_run(folder_.path());
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("etude evaluate"));
  }
}

// What people play has every loudness and every fraction of a beat; of that nothing may be left that models cannot do.
TEST_F(SourceFolders, OfPeopleAreWrittenAsModelsWrite) {
  data::Score played = tell_tale("pianist", 10, 3);
  played.tempos = {{0, 90}, {1000, 150}};
  for (std::size_t i = 0; i < played.tracks[0].notes.size(); ++i) {
    played.tracks[0].notes[i].start += static_cast<std::int64_t>(i % 7);
    played.tracks[0].notes[i].velocity = 20 + static_cast<int>(i % 100);
  }
  write_midi("music/played.mid", played);
  const auto tokenizer = data::make_tokenizer("remi");
  const Source source = pieces_of_folder(folder_.path() / "music", *tokenizer, 5, 1);
  EXPECT_TRUE(source.model.human);
  ASSERT_EQ(source.pieces.size(), 1u);
  const data::Score& written = source.pieces[0].score;
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(written)).tracks[0].notes, written.tracks[0].notes);
  EXPECT_EQ(written.tempos.size(), 1u);
  // As long as it was played, to within the grid.
  EXPECT_NEAR(data::seconds_at(written, data::end_of(written)), data::seconds_at(played, data::end_of(played)), 0.2);
  EXPECT_THROW(pieces_of_folder(folder_.path() / "none", *tokenizer, 5, 1), UsageError);
}

/// How many samples a FLAC file says it has: 36 bits of its first block (RFC 9639, 8.2).
std::uint64_t samples_in(const std::string& flac) {
  std::uint64_t bits = 0;
  for (std::size_t i = 21; i < 26; ++i) bits = bits << 8 | static_cast<unsigned char>(flac.at(i));
  return bits & 0xFFFFFFFFF;
}

TEST(Recordings, AreOfOneLengthAndSmall) {
  std::filesystem::path soundfont;
  try {
    soundfont = render::find_soundfont({});
  } catch (const Error&) {
    GTEST_SKIP() << "no soundfont here: the Debian package 'timgm6mb-soundfont' is one";
  }
  const render::Synthesizer synthesizer(soundfont, kRecordingRate);
  for (const double seconds : {30.0, 12.5}) {
    for (const int character : {1, 8}) {
      const std::string flac =
          recording(synthesizer, excerpt(tell_tale("x", 20 + character, character), seconds), seconds);
      ASSERT_EQ(flac.substr(0, 4), "fLaC");
      EXPECT_EQ(samples_in(flac), static_cast<std::uint64_t>(std::llround(seconds * kRecordingRate)));
      EXPECT_LT(flac.size(), 750'000u) << "40 of them would pass 40 MB as text";
    }
  }
}

}  // namespace
}  // namespace etude::blind
