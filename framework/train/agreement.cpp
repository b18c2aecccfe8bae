#include "framework/train/agreement.h"

#include <array>
#include <cmath>
#include <limits>

#include <ATen/ops/from_blob.h>

namespace etude::train {
namespace {

template <std::size_t N>
void reduce(comm::Communicator& communicator, std::array<std::int64_t, N>& values, comm::ReduceOp op) {
  communicator.all_reduce(at::from_blob(values.data(), {static_cast<std::int64_t>(N)}, at::kLong), op)->wait();
}

}  // namespace

void StepFacts::count(std::int64_t grain, const GrainResult& result) {
  const float of_memory = result.memory_loss.value_or(0);
  if (result.finite && std::abs(result.loss) <= kLargestLoss && std::abs(of_memory) <= kLargestLoss) {
    loss += std::llround(static_cast<double>(result.loss) * kScale);
    memory_loss += std::llround(static_cast<double>(of_memory) * kScale);
    memory_grains += result.memory_loss ? 1 : 0;
    return;
  }
  ++bad_grains;
  if (first_bad_grain < 0) first_bad_grain = grain;
}

double StepFacts::loss_sum() const { return static_cast<double>(loss) / kScale; }

double StepFacts::memory_loss_sum() const { return static_cast<double>(memory_loss) / kScale; }

StepFacts agree(comm::Communicator& communicator, const StepFacts& mine) {
  std::array<std::int64_t, 7> sums{mine.loss,
                                   mine.bad_grains,
                                   mine.out_of_time ? 1 : 0,
                                   mine.signal != 0 ? 1 : 0,
                                   mine.memory_loss,
                                   mine.memory_grains,
                                   static_cast<std::int64_t>(mine.word)};
  reduce(communicator, sums, comm::ReduceOp::kSum);
  StepFacts all;
  all.loss = sums[0];
  all.bad_grains = sums[1];
  all.out_of_time = sums[2] > 0;
  all.memory_loss = sums[4];
  all.memory_grains = sums[5];
  all.word = static_cast<Word>(sums[6]);
  if (all.bad_grains > 0 || sums[3] > 0) {
    constexpr auto kNone = std::numeric_limits<std::int64_t>::max();
    std::array<std::int64_t, 2> lowest{mine.first_bad_grain < 0 ? kNone : mine.first_bad_grain,
                                       mine.signal == 0 ? kNone : mine.signal};
    reduce(communicator, lowest, comm::ReduceOp::kMin);
    all.first_bad_grain = lowest[0] == kNone ? -1 : lowest[0];
    all.signal = lowest[1] == kNone ? 0 : static_cast<int>(lowest[1]);
  }
  return all;
}

Word agree(comm::Communicator& communicator, Word mine) {
  std::array<std::int64_t, 1> word{communicator.rank() == 0 ? static_cast<std::int64_t>(mine) : 0};
  reduce(communicator, word, comm::ReduceOp::kSum);
  return static_cast<Word>(word[0]);
}

}  // namespace etude::train
