#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "data/shard/pack.h"
#include "framework/evaluate/tally.h"

namespace etude::evaluate {

/// Hash of which music a split holds, whatever tokens it became and in which order its pieces lie: the same for two
/// packs that hold the same pieces there. Copies transposed by packing count like their originals.
std::string music_hash(const data::Pack& pack, data::Split split);

/// Adds to a split's result (metrics.h's to_json) what only the pack knows: `pieces` with what was measured on each,
/// the loss per second and by composer and label, and what tells whether two results are of the same music. A piece
/// measured in part counts with that part of its seconds. `tally` must have been made for this split's pieces.
void add_pieces(nlohmann::json& result, const Tally& tally, const data::Pack& pack, data::Split split);

/// Mends a result that was measured on another pack than the run's own: `train_hash` becomes that of the music which
/// the run did learn from, and `learned` how many of the pieces measured are among it. `own` is the run's pack, or null
/// where that is gone; then nothing is known of either.
void set_learned_from(nlohmann::json& result, const data::Pack* own);

/// A table for a person of what add_pieces() found by composer, those with the most tokens first; empty where all
/// pieces are of one composer.
std::string table_by_composer(const nlohmann::json& result);

}  // namespace etude::evaluate
