#include "models/registry.h"

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::models {

void describe(config::Section& section, ModelOptions& options) {
  const auto described = [](auto& of_kind) {
    return [&of_kind](config::Section& alternative) { describe(alternative, of_kind); };
  };
  section.variant("kind", options.kind,
                  {{"gpt2", described(options.gpt2)},
                   {"transformer_xl", described(options.transformer_xl)},
                   {"compressive_transformer", described(options.compressive_transformer)},
                   {"recurrent_memory_transformer", described(options.recurrent_memory_transformer)}},
                  "Which architecture is trained.");
}

std::unique_ptr<Model> make_model(const ModelOptions& options, std::int64_t vocabulary_size,
                                  std::int64_t sequence_length, std::uint64_t seed) {
  const auto make = [&]<typename Kind>(std::type_identity<Kind>, const auto& of_kind) -> std::unique_ptr<Model> {
    return std::make_unique<Kind>(of_kind, vocabulary_size, sequence_length, seed);
  };
  if (options.kind == "gpt2") return make(std::type_identity<Gpt2>(), options.gpt2);
  if (options.kind == "transformer_xl") return make(std::type_identity<TransformerXl>(), options.transformer_xl);
  if (options.kind == "compressive_transformer") {
    return make(std::type_identity<CompressiveTransformer>(), options.compressive_transformer);
  }
  if (options.kind == "recurrent_memory_transformer") {
    return make(std::type_identity<RecurrentMemoryTransformer>(), options.recurrent_memory_transformer);
  }
  throw UsageError(fmt::format("there is no model kind '{}'", options.kind));
}

}  // namespace etude::models
