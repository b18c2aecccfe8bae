#pragma once

#include <cstdint>

#include "framework/comm/communicator.h"
#include "framework/train/grain_runner.h"
#include "framework/train/overseer.h"

namespace etude::train {

/// What each rank knows at a step boundary, and after agree() what all of them know: a decision is taken by all ranks
/// or by none. Losses are summed as integers (multiples of 2^-20 nat), so the sum has the same bits in any order.
struct StepFacts {
  static constexpr double kScale = 1 << 20;
  /// A micro-batch whose loss is larger than this has diverged, and would overflow the sum.
  static constexpr float kLargestLoss = 1e9f;

  std::int64_t loss = 0;              ///< finite grains' losses, in multiples of 2^-20 nat
  std::int64_t bad_grains = 0;        ///< grains whose loss or gradient is not finite, or absurdly large
  std::int64_t first_bad_grain = -1;  ///< the lowest of them, -1 for none
  int signal = 0;                     ///< a signal that some rank was sent, 0 for none
  bool out_of_time = false;
  Word word = Word::kGoOn;         ///< of the overseer; rank 0 alone hears it
  std::int64_t memory_loss = 0;    ///< what forming memories cost, as `loss`
  std::int64_t memory_grains = 0;  ///< grains that learn from that; 0 where the model has no such loss

  void count(std::int64_t grain, const GrainResult& result);
  double loss_sum() const;
  double memory_loss_sum() const;
};

/// One small all-reduce; a second one only when something was not finite.
StepFacts agree(comm::Communicator& communicator, const StepFacts& mine);

/// Rank 0's word, on every rank.
Word agree(comm::Communicator& communicator, Word mine);

}  // namespace etude::train
