#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data/loader/loader.h"
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
};

/// Measures a model on a split. `models`: one per worker, sharing their weights. Every rank calls it; every rank gets
/// the whole result, which is the same bits on any number of ranks and threads. `progress` is told of sequences done on
/// this rank and to be done on it. Throws UsageError when the split is empty.
Tally evaluate(const std::vector<models::Model*>& models, const data::Pack& pack, const Selection& selection,
               comm::Communicator& communicator, parallel::WorkerPool& workers,
               const std::function<void(std::int64_t done, std::int64_t of)>& progress = {});

}  // namespace etude::evaluate
