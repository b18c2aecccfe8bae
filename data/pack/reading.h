#pragma once

#include <string>
#include <vector>

#include "data/pack/labels.h"
#include "data/pack/sources.h"
#include "data/shard/manifest.h"
#include "data/tokenizer/tokenizer.h"

namespace etude::data {

/// A piece on its way into the pack.
struct Draft {
  Piece piece;
  std::vector<TokenId> tokens;
};

/// What one file gave.
struct Reading {
  std::vector<Draft> drafts;     ///< one for a MIDI file, one per tune of an ABC file, in the file's order
  std::vector<Skipped> skipped;  ///< what could not be read, with the place
};

/// Reads and tokenizes a file. Does not throw for what is wrong with the file: that is in `skipped`.
Reading read_source(const Source& source, const Tokenizer& tokenizer, const Labels& labels);

}  // namespace etude::data
