#include "models/registry.h"

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::models {

void describe(config::Section& section, ModelOptions& options) {
  section.variant("kind", options.kind,
                  {{"gpt2", [&options](config::Section& alternative) { describe(alternative, options.gpt2); }}},
                  "Which architecture is trained.");
}

std::unique_ptr<Model> make_model(const ModelOptions& options, std::int64_t vocabulary_size, std::int64_t context,
                                  std::uint64_t seed) {
  if (options.kind == "gpt2") return std::make_unique<Gpt2>(options.gpt2, vocabulary_size, context, seed);
  throw UsageError(fmt::format("there is no model kind '{}': gpt2 is the one there is", options.kind));
}

}  // namespace etude::models
