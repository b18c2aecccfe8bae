#pragma once

#include <memory>
#include <string>

#include "framework/config/options.h"
#include "models/compressive_transformer.h"
#include "models/gpt2.h"
#include "models/recurrent_memory_transformer.h"
#include "models/transformer_xl.h"

namespace etude::models {

/// The `model` section of an experiment: `kind` and the options of that kind.
struct ModelOptions {
  std::string kind = "gpt2";
  Gpt2Options gpt2{};
  TransformerXlOptions transformer_xl{};
  CompressiveTransformerOptions compressive_transformer{};
  RecurrentMemoryOptions recurrent_memory_transformer{};
};
void describe(config::Section& section, ModelOptions& options);

/// A freshly initialised model; the same seed gives the same weights. Throws UsageError when the options do
/// not fit together (width not a multiple of heads).
std::unique_ptr<Model> make_model(const ModelOptions& options, std::int64_t vocabulary_size,
                                  std::int64_t sequence_length, std::uint64_t seed);

}  // namespace etude::models
