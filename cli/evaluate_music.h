#pragma once

#include <cstdint>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "data/shard/pack.h"
#include "framework/run/run_folder.h"
#include "framework/train/trained_model.h"

namespace etude::cli {

/// Which pieces `etude evaluate` measures beside those of the split.
struct MusicChoice {
  int generate = 0;                 ///< how many the model is to make; 0: none
  std::filesystem::path folder;     ///< MIDI and ABC files that are there; empty: none
  std::uint64_t seed = 1;           ///< of the pieces made
  std::int64_t most_tokens = 1024;  ///< that a piece made has at the most

  bool any() const { return generate > 0 || !folder.empty(); }
};

/// --generate, --music, --seed and --max-tokens.
void add_music_options(CLI::App& command, MusicChoice& choice);

/// Makes or reads the pieces, measures them, writes the run's music.json and tells of it. Pieces made replace those in
/// the run's folder generated/.
void measure_music(const MusicChoice& choice, const run::RunFolder& run, train::TrainedModel& trained,
                   const data::Pack& pack, data::Split split, int threads);

}  // namespace etude::cli
