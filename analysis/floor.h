#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "data/shard/pack.h"

namespace etude::analysis {

/// What an n-gram model (NgramModel) reaches on a split of a pack after counting its training split: who trains a
/// larger model wants it to get below. RUN/floor.json, docs/formats.md.
struct Floor {
  struct Order {
    int order = 1;
    double loss = 0;           ///< nats per token
    double loss_per_note = 0;  ///< all tokens' nats, divided by the notes; 0 where there is no note
  };

  std::string pack;  ///< its hash
  data::Split split = data::Split::kValidation;
  std::vector<Order> orders;
  int order = 1;  ///< of the lowest loss
  double loss = 0;
  double loss_per_note = 0;
  std::int64_t tokens = 0;  ///< measured on: all of their pieces but the first token of each
  std::int64_t notes = 0;
  std::int64_t learned_tokens = 0;  ///< counted in the training split
};

/// So that it takes a second or two, and a few hundred MB while it does.
struct FloorLimits {
  std::int64_t learned_tokens = 2'000'000;
  std::int64_t tokens = 500'000;  ///< measured on
};

/// Pieces are taken in the order of their ids, which is one without sense and the same for each pack of one music,
/// until the limits are reached; transposed copies after all others. Nothing when `stop`, asked before each piece, says
/// so. Throws UsageError when one of the two splits has no piece.
std::optional<Floor> make_floor(const data::Pack& pack, data::Split split, const FloorLimits& limits = {},
                                const std::function<bool()>& stop = {});

nlohmann::json to_json(const Floor& floor);
/// Throws Error naming the file and the way out when it cannot be read or is none.
Floor read_floor(const std::filesystem::path& file);

/// "an n-gram model of order 4 reaches 2.31 nats per token on validation …", for a person who trains.
std::string in_words(const Floor& floor);

}  // namespace etude::analysis
