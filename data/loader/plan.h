#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/shard/pack.h"
#include "framework/config/options.h"

namespace etude::data {

/// data.transpose
struct TransposeOptions {
  std::vector<std::int64_t> semitones;  ///< [low, high], or empty for none
  /// Which pieces: {composer: chopin}. Keys are composer, title, file or a label; a piece must contain every value,
  /// without regard to case. Empty means all.
  std::map<std::string, std::string> where;
};

enum class Order {
  kAuto,      ///< lanes for models that remember, else shuffled
  kShuffled,  ///< sequences of all pieces in random order
  kLanes,     ///< each row of the batch walks through whole pieces
};

struct DataOptions {
  std::filesystem::path pack;
  Order order = Order::kAuto;
  std::int64_t sequence_length = 512;
  TransposeOptions transpose;
};
void describe(config::Section& section, DataOptions& options);

/// A stretch of one piece to learn from: `length` inputs from token `begin` on, each with the token after it as target.
struct SequenceRef {
  std::int64_t piece = 0;
  std::int64_t begin = 0;
  std::int64_t length = 0;  ///< inputs, at most data.sequence_length
  int semitones = 0;        ///< transposition to apply
  /// Whether it goes on where the sequence in this row of the batch before ended, so that a model may remember that.
  bool continues = false;
  std::int64_t unmeasured = 0;  ///< inputs at its beginning that are only heard: what follows them is no target

  bool operator==(const SequenceRef&) const = default;
};

/// Which sequences make up the global batch of a step. A function of (seed, epoch) alone: no rank, no thread and no
/// history changes it, so a run may resume at any step on any number of ranks.
class Plan {
 public:
  virtual ~Plan() = default;
  /// The sequences of the global batch of `step` (0 is the first). Always `global_batch` of them.
  virtual std::vector<SequenceRef> batch(std::int64_t step) const = 0;
  /// Sequences in one pass over the data; the same in every epoch.
  virtual std::int64_t sequences_per_epoch() const = 0;
  /// Epochs done after `steps` steps, fractional, as Hugging Face counts them.
  double epochs_after(std::int64_t steps) const {
    return static_cast<double>(steps) * static_cast<double>(global_batch()) /
           static_cast<double>(sequences_per_epoch());
  }
  virtual std::int64_t global_batch() const = 0;
  /// The most inputs a sequence may have.
  virtual std::int64_t sequence_length() const = 0;
};

/// Training data in random order: each epoch cuts every piece anew, at a random offset, into sequences that together
/// hold each of its tokens exactly once, and shuffles them. Batches run across the epoch's end. With Order::kLanes rows
/// walk through pieces instead (see LanePlan); kAuto, which only who knows the model can resolve, means kShuffled.
///
/// A sequence (with lanes, a piece) is transposed by a number of semitones drawn from those in data.transpose.semitones
/// that keep its whole piece within the vocabulary's pitches; where none does, by 0. Throws UsageError naming the
/// option when there is nothing to train on or data.transpose cannot be meant so.
std::unique_ptr<Plan> make_training_plan(const Pack& pack, const DataOptions& options, std::int64_t global_batch,
                                         std::uint64_t seed);
/// The same from what a pack knows of its pieces.
std::unique_ptr<Plan> make_training_plan(const std::vector<Piece>& pieces, const Vocabulary& vocabulary,
                                         const DataOptions& options, std::int64_t global_batch, std::uint64_t seed);

/// Human-readable name of a sequence for messages: "piano/chopin/op28-4.mid, tokens 512..1023, +3 semitones".
std::string name_of(const Pack& pack, Split split, const SequenceRef& sequence);
std::string name_of(const Piece& piece, const SequenceRef& sequence);

}  // namespace etude::data
