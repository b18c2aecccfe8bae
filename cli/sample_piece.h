#pragma once

#include <cstdint>

#include "data/tokenizer/tokenizer.h"
#include "framework/log/listener.h"
#include "models/model.h"

namespace etude::cli {

/// A piece that the model makes from nothing, of at most so many tokens: the same as long as the weights are. With
/// sound where there is a soundfont.
log::PlayedPiece sample_piece(models::Model& model, const data::Tokenizer& tokenizer, std::int64_t most_tokens);

}  // namespace etude::cli
