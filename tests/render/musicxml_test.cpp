// Scores as other programs read them: music21, and MusicXML's own schema by xmllint.
#include "render/musicxml.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "data/abc/abc.h"
#include "data/midi/midi.h"
#include "tests/render/support.h"
#include "tests/support/oracle.h"

namespace etude::render {
namespace {

using nlohmann::json;
using testing::kTicks;
using testing::piano;

std::optional<std::string> music21() {
  const std::string folder = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-music";
  if (testing::oracle_python() && std::filesystem::exists(folder + "/made-from")) return folder;
  return std::nullopt;
}

/// What music21 makes of MusicXML files: of each its `title`, `composer`, `keys`, `meters`, `tempo`, `staves`, `notes`
/// as [staff, onset, duration, pitch] with ties joined, in quarters, and `faults`: voices that do not fill a measure.
json read_by_music21(const std::vector<std::string>& documents) {
  testing::TemporaryFolder folder;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    std::ofstream(folder.path() / (std::to_string(1000 + i) + ".musicxml")) << documents[i];
  }
  return json::parse(testing::run_python(R"(
import sys, glob, json
from music21 import converter, stream, note, chord, key, meter, tempo
def read(file):
    score = converter.parse(file, forceSource=True)
    found = {"title": score.metadata.title, "composer": score.metadata.composer, "staves": len(score.parts), "faults": []}
    first = score.parts[0]
    found["keys"] = [[k.sharps, k.mode] for k in first.recurse().getElementsByClass(key.Key)]
    found["meters"] = [m.ratioString for m in first.recurse().getElementsByClass(meter.TimeSignature)]
    found["tempo"] = [m.getQuarterBPM() for m in score.recurse().getElementsByClass(tempo.MetronomeMark)]
    found["bars"] = [[m.number, float(m.duration.quarterLength)] for m in first.getElementsByClass(stream.Measure)]
    found["names"] = [str(p) for p in first.flatten().pitches]
    notes = []
    for number, part in enumerate(score.parts):
        for measure in part.getElementsByClass(stream.Measure):
            voices = list(measure.voices) or [measure]
            length = float(first.measure(measure.number).duration.quarterLength)
            for voice in voices:
                at = 0.0
                for one in voice.notesAndRests:
                    if abs(float(one.offset) - at) > 1e-4: found["faults"].append([file[-8:], measure.number, "gap at", at])
                    at = float(one.offset) + float(one.quarterLength)
                if abs(at - length) > 1e-4: found["faults"].append([file[-8:], measure.number, at, length])
                for one in voice.notes:
                    for single in (one.notes if isinstance(one, chord.Chord) else [one]):
                        tie = single.tie.type if single.tie else None
                        notes.append([number, float(measure.offset + one.offset), float(one.quarterLength), single.pitch.midi, tie])
    joined = []
    for one in sorted(notes, key=lambda n: (n[1], n[0], n[3])):
        if one[4] in ("stop", "continue"):
            open_ = [j for j in joined if j[0] == one[0] and j[3] == one[3] and abs(j[1] + j[2] - one[1]) < 1e-4]
            if not open_: found["faults"].append([file[-8:], "a tie to nothing", one])
            else: open_[-1][2] += one[2]
        else: joined.append(one[:4])
    found["notes"] = sorted([[j[0], round(j[1], 4), round(j[2], 4), j[3]] for j in joined])
    return found
print(json.dumps([read(file) for file in sorted(glob.glob(sys.argv[1] + "/*.musicxml"))]))
)",
                                         {folder.path().string()}, music21().value()));
}

/// Notes as [onset, duration, pitch] in quarters.
json notes_of(const json& read) {
  json notes = json::array();
  for (const json& note : read["notes"]) notes.push_back({note[1], note[2], note[3]});
  std::sort(notes.begin(), notes.end());
  return notes;
}

#define SKIP_WITHOUT_MUSIC21() \
  if (!music21()) GTEST_SKIP() << "no music21: script/setup --test installs it"

/// What xmllint has against MusicXML documents, by the schema of MusicXML 4.0.
std::string against_schema(const std::vector<std::string>& documents) {
  testing::TemporaryFolder folder;
  std::string schema = testing::slurp(std::string(ETUDE_SOURCE_DIR) +
                                      "/.deps/oracle-notation/musicxml/generate_classes/musicxml_4_0.xsd");
  const std::string online = "http://www.musicxml.org/xsd/";
  for (auto at = schema.find(online); at != std::string::npos; at = schema.find(online))
    schema.erase(at, online.size());
  std::ofstream(folder.path() / "musicxml.xsd") << schema;
  // The two small schemas that it imports, as far as it names their attributes.
  const auto import = [&](const std::string& name, const std::string& space, const std::string& attributes) {
    std::ofstream file(folder.path() / (name + ".xsd"));
    file << R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace=")" << space << R"(">)";
    std::istringstream names(attributes);
    for (std::string word; names >> word;) file << "<xs:attribute name=\"" << word << "\" type=\"xs:string\"/>";
    file << "</xs:schema>";
  };
  import("xml", "http://www.w3.org/XML/1998/namespace", "lang space");
  import("xlink", "http://www.w3.org/1999/xlink", "href type role title show actuate");
  for (std::size_t i = 0; i < documents.size(); ++i) {
    std::ofstream(folder.path() / (std::to_string(i) + ".musicxml")) << documents[i];
  }
  const auto checked = testing::run_shell("cd " + folder.path().string() +
                                          " && xmllint --nonet --noout --schema musicxml.xsd *.musicxml");
  return checked.exit_code == 0 ? "" : checked.errors.substr(0, 2000);
}

bool has_schema() {
  return std::filesystem::exists(std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-notation/made-from") &&
         testing::run_shell("xmllint --version").exit_code == 0;
}

TEST(MusicXml, HoldsTheNotesThatWereMeant) {
  SKIP_WITHOUT_MUSIC21();
  // A melody with a dotted note, a triplet, 32nds, a syncopation across the bar line and a final whole note over two
  // bars, above a bass that holds and moves.
  const std::vector<std::array<double, 3>> meant{{0, 1.5, 72},
                                                 {1.5, 0.5, 74},
                                                 {2, 1.0 / 3, 76},
                                                 {2 + 1.0 / 3, 1.0 / 3, 74},
                                                 {2 + 2.0 / 3, 1.0 / 3, 72},
                                                 {3, 0.125, 71},
                                                 {3.125, 0.125, 72},
                                                 {3.25, 0.75, 74},
                                                 {4, 0.5, 76},
                                                 {4.5, 1, 77},
                                                 {5.5, 1, 76},
                                                 {6.5, 2, 74},
                                                 {8.5, 5.5, 72},
                                                 {0, 2, 48},
                                                 {2, 2, 43},
                                                 {4, 4, 48},
                                                 {4, 1, 52},
                                                 {5, 1, 55},
                                                 {6, 2, 52},
                                                 {8, 4, 36}};
  data::Score score;
  score.ticks_per_quarter = kTicks;
  score.tracks.resize(2);
  score.tracks[0].name = "Right hand";
  score.tracks[1].name = "Left hand";
  for (const auto& [onset, duration, pitch] : meant) {
    const auto start = std::lround(onset * kTicks), end = std::lround((onset + duration) * kTicks);
    score.tracks[pitch < 60 ? 1 : 0].notes.push_back({start, end - start, static_cast<int>(pitch), 80});
  }
  const json read = read_by_music21({to_musicxml(notate(score))})[0];
  EXPECT_EQ(read["faults"], json::array());
  json expected = json::array();
  for (const auto& [onset, duration, pitch] : meant) {
    const auto rounded = [](double value) { return std::round(value * 1e4) / 1e4; };
    expected.push_back({rounded(onset), rounded(duration), static_cast<int>(pitch)});
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(notes_of(read), expected);
  for (const json& note : read["notes"]) EXPECT_EQ(note[0], note[3] < 60 ? 1 : 0) << note;
}

TEST(MusicXml, HasTheKeysMetersTempoTitleAndUpbeatOfTheScore) {
  SKIP_WITHOUT_MUSIC21();
  data::Score score = piano({{0, kTicks / 2, 67, 80}});
  for (int i = 0; i < 12; ++i) score.tracks[0].notes.push_back({kTicks / 2 + i * kTicks / 2, kTicks / 2, 60 + i, 80});
  for (int i = 0; i < 8; ++i) score.tracks[0].notes.push_back({kTicks / 2 + (6 + i) * kTicks, kTicks, 60 + i, 80});
  score.title = "A <Study> & \"More\" \x01 caf\xe9";  // Latin-1, as old MIDI files have it
  score.composer = "N\xc3\xa9";
  score.tempos = {{0, 90}};
  score.time_signatures = {{0, 1, 8}, {kTicks / 2, 6, 8}, {kTicks / 2 + 6 * kTicks, 2, 4}};
  score.key_signatures = {{0, -3, true}, {kTicks / 2 + 6 * kTicks, 2, false}};
  const json read = read_by_music21({to_musicxml(notate(score))})[0];
  EXPECT_EQ(read["faults"], json::array());
  EXPECT_EQ(read["title"], "A <Study> & \"More\"   caf\xc3\xa9");
  EXPECT_EQ(read["composer"], "N\xc3\xa9");
  EXPECT_EQ(read["keys"], json::parse(R"([[-3, "minor"], [2, "major"]])"));
  EXPECT_EQ(read["meters"], json::parse(R"(["6/8", "2/4"])"));
  EXPECT_EQ(read["tempo"], json::parse("[90.0]"));
  EXPECT_EQ(read["staves"], 1);  // a melody alone
  EXPECT_EQ(read["bars"][0], json::parse("[0, 0.5]"));
  EXPECT_EQ(read["bars"][1], json::parse("[1, 3.0]"));
}

TEST(MusicXml, SpellsByTheKeyAndByWhereAVoiceGoes) {
  SKIP_WITHOUT_MUSIC21();
  const auto melody = [](int sharps, bool minor, const std::vector<int>& pitches) {
    data::Score score = piano({});
    for (const int pitch : pitches) {
      score.tracks[0].notes.push_back({std::ssize(score.tracks[0].notes) * kTicks, kTicks, pitch, 80});
    }
    score.key_signatures = {{0, sharps, minor}};
    return to_musicxml(notate(score));
  };
  const json read = read_by_music21({melody(-3, true, {67, 68, 71, 72}),
                                     melody(-5, false, {61, 63, 65, 66, 68, 70, 72, 73}), melody(3, true, {64, 65, 66}),
                                     melody(0, false, {60, 61, 62, 63, 64}), melody(0, false, {71, 70, 69, 68, 67})});
  // Harmonic C minor has A-flat and B-natural; D-flat major its own five flats; F-sharp minor E-sharp as leading tone.
  EXPECT_EQ(read[0]["names"], json::parse(R"(["G4", "A-4", "B4", "C5"])"));
  EXPECT_EQ(read[1]["names"], json::parse(R"(["D-4", "E-4", "F4", "G-4", "A-4", "B-4", "C5", "D-5"])"));
  EXPECT_EQ(read[2]["names"], json::parse(R"(["E4", "E#4", "F#4"])"));
  // Chromatic steps in C major: sharps upwards, flats downwards.
  EXPECT_EQ(read[3]["names"], json::parse(R"(["C4", "C#4", "D4", "D#4", "E4"])"));
  EXPECT_EQ(read[4]["names"], json::parse(R"(["B4", "B-4", "A4", "A-4", "G4"])"));
}

TEST(MusicXml, FollowsTheSchemaAndFillsItsMeasuresForRandomMusic) {
  std::mt19937 random(3);
  std::vector<std::string> documents;
  for (int piece = 0; piece < 8; ++piece) {
    data::Score score = piano({});
    const auto any = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
    const bool performed = piece % 2 == 0;
    for (int i = 0; i < 120; ++i) {
      const std::int64_t start = performed ? any(40 * kTicks) : any(160) * kTicks / 4;
      score.tracks[0].notes.push_back(
          {start, performed ? any(3 * kTicks) : (1 + any(8)) * kTicks / 4, 36 + any(50), 80});
    }
    std::sort(score.tracks[0].notes.begin(), score.tracks[0].notes.end(),
              [](const data::Note& a, const data::Note& b) { return a.start < b.start; });
    constexpr std::array<data::TimeSignature, 8> kMeters{
        {{0, 4, 4}, {0, 3, 4}, {0, 6, 8}, {0, 7, 8}, {0, 2, 2}, {0, 12, 8}, {0, 5, 16}, {0, 3, 2}}};
    score.time_signatures = {kMeters[static_cast<std::size_t>(piece)], {17 * kTicks + 100, 5, 4}};
    documents.push_back(to_musicxml(notate(score)));
  }
  if (has_schema()) {
    EXPECT_EQ(against_schema(documents), "");
  }
  SKIP_WITHOUT_MUSIC21();
  for (const json& read : read_by_music21(documents)) EXPECT_EQ(read["faults"], json::array());
}

TEST(MusicXml, OfRealMusicHasTheNotesOfTheFile) {
  const auto music = testing::real_music();
  if (!music) GTEST_SKIP() << "no real music beside the project";
  SKIP_WITHOUT_MUSIC21();
  std::vector<std::string> documents;
  std::vector<std::size_t> onsets;
  for (const char* name :
       {"piano/schumann/scn15_5.mid", "piano/chopin/chpn-p9.mid", "emopia/midis/Q1_0vLPYiPN7qY_1.mid"}) {
    const data::Score score = data::midi::read(*music / name);
    std::set<std::pair<std::int64_t, int>> struck;
    for (const data::Track& track : score.tracks) {
      for (const data::Note& note : track.notes) struck.emplace(note.start, note.pitch);
    }
    onsets.push_back(struck.size());
    documents.push_back(to_musicxml(notate(score)));
  }
  const json read = read_by_music21(documents);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(read[i]["faults"], json::array());
    // Keys struck twice within one step of the grid are one note on paper: a few of a hundred at the most.
    EXPECT_LE(read[i]["notes"].size(), onsets[i]);
    EXPECT_GE(read[i]["notes"].size() * 100, onsets[i] * 96);
  }
  EXPECT_EQ(read[0]["keys"][0], json::parse(R"([2, "major"])"));
  EXPECT_EQ(read[0]["meters"], json::parse(R"(["2/4"])"));
  if (has_schema()) {
    EXPECT_EQ(against_schema(documents), "");
  }
}

TEST(Key, OfAPieceThatNamesNoneIsMusic21s) {
  SKIP_WITHOUT_MUSIC21();
  std::mt19937 random(5);
  json pieces = json::array();
  std::vector<std::string> ours;
  for (int piece = 0; piece < 24; ++piece) {
    // Notes of a scale, the tonic's chord more often: any tonic, major and minor.
    data::Score score = piano({});
    json notes = json::array();
    const std::vector<int> scale =
        piece % 2 == 0 ? std::vector{0, 2, 4, 5, 7, 9, 11, 0, 4, 7, 0} : std::vector{0, 2, 3, 5, 7, 8, 11, 0, 3, 7, 0};
    for (int i = 0; i < 60; ++i) {
      const int pitch = 60 + piece / 2 + scale[random() % scale.size()];
      const int quarters = 1 + static_cast<int>(random() % 2);
      score.tracks[0].notes.push_back({i * 2 * kTicks, quarters * kTicks, pitch, 80});
      notes.push_back({pitch, quarters});
    }
    pieces.push_back(notes);
    ours.push_back(key_name(notate(score).measures.front().key));
  }
  const json theirs = json::parse(testing::run_python(R"(
import sys, json
from music21 import stream, note, analysis
found = []
for piece in json.loads(sys.argv[1]):
    part = stream.Part()
    for pitch, quarters in piece: part.append(note.Note(pitch, quarterLength=quarters))
    key = analysis.discrete.KrumhanslKessler(part).getSolution(part)
    found.append([key.tonic.pitchClass, key.mode])
print(json.dumps(found))
)",
                                                      {pieces.dump()}, music21().value()));
  const std::map<std::string, int> classes{{"C", 0},       {"C-sharp", 1},  {"D-flat", 1},  {"D", 2},
                                           {"D-sharp", 3}, {"E-flat", 3},   {"E", 4},       {"F", 5},
                                           {"F-sharp", 6}, {"G", 7},        {"G-sharp", 8}, {"A-flat", 8},
                                           {"A", 9},       {"A-sharp", 10}, {"B-flat", 10}, {"B", 11}};
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto space = ours[i].find(' ');
    EXPECT_EQ(json({classes.at(ours[i].substr(0, space)), ours[i].substr(space + 1)}), theirs[i]) << ours[i];
  }
}

TEST(Notation, OfAFolkTuneBeginsWithItsUpbeat) {
  SKIP_WITHOUT_MUSIC21();
  const data::abc::Book book = data::abc::parse("X:1\nT:One\nM:4/4\nL:1/4\nK:G\nD|GABc|d2BG|\n");
  const data::abc::Tune& tune = book.tunes.at(0);
  const json read = read_by_music21({to_musicxml(notate(tune.score, {tune.upbeat}))})[0];
  EXPECT_EQ(read["bars"], json::parse("[[0, 1.0], [1, 4.0], [2, 4.0]]"));
  EXPECT_EQ(read["keys"], json::parse(R"([[1, "major"]])"));
}

}  // namespace
}  // namespace etude::render
