#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "data/loader/plan.h"

namespace etude::data {

inline constexpr std::int64_t kIgnored = -100;  ///< target that counts nowhere, as in PyTorch's cross_entropy

/// What one grain computes on: `rows` sequences side by side, row-major, padded with PAD_None to the longest of them
/// rounded up to a multiple of 16, at most the plan's sequence length (a function of the grain's content alone, so its
/// shape is the same on every rank).
struct TokenGrid {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::int64_t> inputs;    ///< [rows, columns]
  std::vector<std::int64_t> targets;   ///< [rows, columns], kIgnored where there is nothing to learn
  std::int64_t counted = 0;            ///< targets that are not kIgnored
  std::vector<SequenceRef> sequences;  ///< what stands in each row
};

/// The grains of one step that this rank computes, and what the whole global batch holds.
struct StepData {
  std::int64_t step = 0;
  std::int64_t first_grain = 0;  ///< index, within the global batch, of grains[0]
  std::vector<TokenGrid> grains;
  std::int64_t counted = 0;  ///< targets of the whole global batch, over all ranks
  std::int64_t cells = 0;    ///< rows times columns, likewise; those without a target are padding
};

/// Which of the global batch's grains to load: [begin, end).
struct GrainRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Reads out.size() tokens of a piece from its token `begin` on, as Pack::read.
using ReadTokens = std::function<void(std::int64_t piece, std::int64_t begin, std::span<TokenId> out)>;

/// Reads steps ahead on a thread of its own. Pack and plan must outlive it.
class Loader {
 public:
  /// `rows` sequences make a grain; the plan's global batch must be a multiple of it (else UsageError). Reads `ahead`
  /// steps ahead.
  Loader(const Pack& pack, Split split, const Plan& plan, std::int64_t rows, GrainRange grains, std::int64_t first_step,
         std::int64_t ahead = 2);
  /// The same with tokens from anywhere.
  Loader(const Vocabulary& vocabulary, ReadTokens read, const Plan& plan, std::int64_t rows, GrainRange grains,
         std::int64_t first_step, std::int64_t ahead = 2);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next step's data, in order. Rethrows what went wrong while reading (the message names the shard).
  StepData next();
  /// Seconds next() has waited since the loader was made.
  double waited() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etude::data
