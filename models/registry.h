#pragma once

#include <memory>
#include <string>

#include "framework/config/options.h"
#include "models/gpt2.h"
#include "models/model.h"

namespace etude::models {

/// The `model` section of an experiment: `kind` and the options of that kind.
struct ModelOptions {
  std::string kind = "gpt2";
  Gpt2Options gpt2;
};
void describe(config::Section& section, ModelOptions& options);

/// A freshly initialised model; the same seed gives the same weights. `context` is data.sequence_length. Throws
/// UsageError when the options do not fit together (width not a multiple of heads).
std::unique_ptr<Model> make_model(const ModelOptions& options, std::int64_t vocabulary_size, std::int64_t context,
                                  std::uint64_t seed);

}  // namespace etude::models
