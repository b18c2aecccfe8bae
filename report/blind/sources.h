#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/music/score.h"
#include "data/shard/pack.h"
#include "data/tokenizer/tokenizer.h"
#include "report/blind/key.h"

namespace etude::blind {

struct Candidate {
  std::string file;
  data::Score score;
};

/// Pieces that may be heard, all of one model or all by people.
struct Source {
  Model model;
  std::vector<Candidate> pieces;
  std::vector<std::string> remarks;  ///< files that cannot be read, in words
};

/// RUN/generated/*.mid. Throws UsageError where there are none, with the command that makes some.
Source pieces_of_run(const std::filesystem::path& run);

/// At most `most` pieces from a folder of MIDI and ABC files, or from a pack's test split, drawn by the seed. What
/// people play is finer in time and loudness than what a model can write down; so that this alone does not give them
/// away, the pieces pass through the tokenizer, and keep one tempo, the mean of theirs. Throws UsageError where there
/// are none.
Source pieces_of_folder(const std::filesystem::path& folder, const data::Tokenizer& tokenizer, std::size_t most,
                        std::uint64_t seed);
Source pieces_of_test_split(const data::Pack& pack, std::size_t most, std::uint64_t seed);

/// The tokenizer a run was trained with. Throws Error naming the file.
std::unique_ptr<data::Tokenizer> tokenizer_of_run(const std::filesystem::path& run);

}  // namespace etude::blind
