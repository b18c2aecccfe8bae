#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "data/loader/evaluation_plan.h"
#include "framework/comm/communicator.h"
#include "framework/evaluate/tally.h"
#include "framework/parallel/worker_pool.h"
#include "models/model.h"

namespace etude::evaluate {

struct Selection {
  data::Split split = data::Split::kValidation;
  std::int64_t sequence_length = 512;
  std::int64_t rows = 4;     ///< sequences computed at once
  std::int64_t batches = 0;  ///< of `rows` sequences each; 0 takes the whole split
  std::int64_t tokens = 0;   ///< likewise, in tokens
  /// How many tokens a model that remembers is to remember, where not as many as in training.
  std::optional<std::int64_t> memory = std::nullopt;
  /// Above 0, each token is predicted from so many tokens before it alone (fewer at a piece's beginning), which are
  /// computed anew for every token, and no memory is used: what any model could know at best, at a price.
  std::int64_t window = 0;
};

/// How these models are to go through a split: those that remember walk through each piece from its beginning to its
/// end, others take sequences by themselves.
data::EvaluationRequest request_for(const models::Model& model, const Selection& selection);

/// How many sequences, segments or windows have to be computed for that.
std::int64_t sequences_in(const data::Pack& pack, const models::Model& model, const Selection& selection);

/// The tokens that a model can look at while it is trained: a segment, and what lies in its memory. The default of
/// Selection::window.
std::int64_t heard_in_training(const models::Model& model, std::int64_t sequence_length);

/// Measures a model on a split. `models`: one per worker, sharing their weights. Every rank calls it; every rank gets
/// the whole result, which is the same bits on any number of ranks and threads. `progress` is told of batches done on
/// this rank and to be done on it, by one thread at a time. Throws UsageError when the split is empty, or the model
/// cannot be measured like this.
Tally evaluate(const std::vector<models::Model*>& models, const data::Pack& pack, const Selection& selection,
               comm::Communicator& communicator, parallel::WorkerPool& workers,
               const std::function<void(std::int64_t done, std::int64_t of)>& progress = {});

}  // namespace etude::evaluate
