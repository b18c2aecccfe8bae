#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/loader/loader.h"
#include "framework/comm/communicator.h"
#include "framework/parallel/grains.h"
#include "models/model.h"
#include "models/safetensors.h"

namespace etude::train {

/// What the lanes of this rank's grains remember from step to step. Lane r is row r of the global batch and belongs to
/// the grain that holds that row, so a lane moves to another rank when its grain does.
class Lanes {
 public:
  /// `grains` of the global batch, with `rows` lanes each, of which this rank has those that grains_of_rank() gives.
  /// Nobody remembers anything yet. `model` must outlive the lanes.
  Lanes(const models::Model& model, std::int64_t grains, std::int64_t rows, int rank, int ranks);

  /// The memory of a grain (its index within the global batch), as its next segments need it: lanes that begin a piece
  /// have forgotten the one before. Different grains may be asked for from different threads.
  models::Memory& memory_for(std::int64_t grain, const data::TokenGrid& segments);
  /// A grain that went wrong: its lanes remember nothing from now on.
  void forget(std::int64_t grain);

  /// What all lanes of all ranks remember, on rank 0, and nothing elsewhere: "heard" int64 [lanes] and "memory.0",
  /// "memory.1", … [lanes, …]. Every rank calls it.
  models::NamedTensors gather(comm::Communicator& communicator) const;
  /// Takes this rank's lanes from what gather() gave. Throws Error naming `place` and what does not fit.
  void load(const models::NamedTensors& all, const std::string& place);

 private:
  models::Memory& memory_of(std::int64_t grain) { return memories_[static_cast<std::size_t>(grain - mine_.begin)]; }
  /// Rows of all ranks' lanes on rank 0, given those of this rank's.
  at::Tensor gather(comm::Communicator& communicator, const at::Tensor& own) const;

  const models::Model& model_;
  const std::int64_t grains_;
  const std::int64_t rows_;
  const parallel::GrainRange mine_;
  std::vector<models::Memory> memories_;  ///< by grain of this rank
};

}  // namespace etude::train
