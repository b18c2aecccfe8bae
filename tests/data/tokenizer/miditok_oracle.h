#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/midi/midi.h"
#include "data/tokenizer/tokenizer.h"
#include "tests/support/oracle.h"

namespace etude::testing {

/// Asks miditok_oracle.py.
inline nlohmann::json ask_miditok(const std::string& mode, const nlohmann::json& question = {}) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "question.json";
  std::ofstream(file) << question;
  const std::string script = slurp(ETUDE_SOURCE_DIR "/tests/data/tokenizer/miditok_oracle.py");
  return nlohmann::json::parse(run_python(script, {mode, file.string()}));
}

inline nlohmann::json described(const std::vector<data::Note>& notes) {
  nlohmann::json result = nlohmann::json::array();
  for (const data::Note& note : notes) result.push_back({note.start, note.duration, note.pitch, note.velocity});
  return result;
}

inline nlohmann::json described(const std::vector<data::TimeSignature>& changes) {
  nlohmann::json result = nlohmann::json::array();
  for (const data::TimeSignature& change : changes)
    result.push_back({change.time, change.numerator, change.denominator});
  return result;
}

/// A score to ask about.
inline nlohmann::json question(const data::Score& score) {
  nlohmann::json tracks = nlohmann::json::array();
  for (const data::Track& track : score.tracks) tracks.push_back({track.drums, described(track.notes)});
  return {{"ticks_per_quarter", score.ticks_per_quarter},
          {"time_signatures", described(score.time_signatures)},
          {"tracks", tracks}};
}

/// A decoded score, as the oracle describes one.
inline nlohmann::json described(const data::Score& score) {
  nlohmann::json notes = nlohmann::json::array();
  for (const data::Track& track : score.tracks)
    for (const auto& note : described(track.notes)) notes.push_back(note);
  return {{"notes", notes}, {"time_signatures", described(score.time_signatures)}};
}

/// Holds encode and decode to MidiTok's answer about one score.
inline void expect_as_miditok(const data::Tokenizer& tokenizer, const data::Score& score,
                              const nlohmann::json& answer) {
  const auto ids = tokenizer.encode(score);
  ASSERT_EQ(ids, answer.at("ids").get<std::vector<data::TokenId>>());
  const nlohmann::json decoded = described(tokenizer.decode(ids));
  ASSERT_EQ(decoded, answer.at("decoded"));
  if (answer.at("prepared").is_null()) return;
  ASSERT_EQ(decoded, answer.at("prepared"));
}

/// Every `stride`th of the real MIDI files.
inline std::vector<std::filesystem::path> real_midi_files(const std::filesystem::path& music, std::size_t stride) {
  std::vector<std::filesystem::path> all, some;
  for (const char* folder : {"piano", "emopia", "melody"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(music / folder))
      if (const auto kind = entry.path().extension(); kind == ".mid" || kind == ".MID") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); i += stride) some.push_back(all[i]);
  return some;
}

/// Holds reader, encode, decode and grammar to MidiTok's answers about real files.
inline void expect_files_as_miditok(const data::Tokenizer& tokenizer, const std::vector<std::filesystem::path>& files) {
  nlohmann::json names = nlohmann::json::array();
  for (const auto& file : files) names.push_back(file.string());
  const nlohmann::json answers = ask_miditok("files", names);
  for (std::size_t i = 0; i < files.size(); ++i) {
    SCOPED_TRACE(files[i].string());
    const data::Score score = data::midi::read(files[i]);
    expect_as_miditok(tokenizer, score, answers[i]);
    const auto grammar = tokenizer.grammar();
    for (const data::TokenId token : tokenizer.encode(score)) ASSERT_TRUE(grammar->advance(token));
    ASSERT_TRUE(grammar->complete());
  }
}

}  // namespace etude::testing
