#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/midi/midi.h"
#include "data/pack/builder.h"
#include "data/shard/pack.h"

namespace etude::testing {

/// A melody of quarter notes that no other seed gives, as the bytes of a MIDI file.
inline data::Score melody(unsigned seed, int notes = 24, int semitones = 0) {
  data::Score score;
  data::Track track;
  unsigned state = seed * 2654435761u + 1;
  for (int i = 0; i < notes; ++i) {
    state = state * 1664525u + 1013904223u;
    track.notes.push_back({i * 480, 480, 55 + static_cast<int>((state >> 16) % 20) + semitones, 64});
  }
  score.tracks.push_back(track);
  return score;
}

inline void write_file(const std::filesystem::path& file, const std::string& content) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
}

inline void write_midi(const std::filesystem::path& file, const data::Score& score) {
  write_file(file, data::midi::serialize(score));
}

inline data::PackRequest request(const std::filesystem::path& input, const std::filesystem::path& output) {
  data::PackRequest request;
  request.inputs = {input};
  request.output = output;
  request.threads = 2;
  return request;
}

inline std::vector<data::TokenId> tokens_of(const data::Pack& pack, data::Split split, std::size_t piece) {
  std::vector<data::TokenId> tokens(static_cast<std::size_t>(pack.pieces(split)[piece].tokens));
  pack.read(split, static_cast<std::int64_t>(piece), 0, tokens);
  return tokens;
}

}  // namespace etude::testing
