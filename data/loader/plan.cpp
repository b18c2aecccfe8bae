#include "data/loader/plan.h"

#include <cstdlib>

#include <fmt/core.h>

#include "data/loader/epoch_order.h"
#include "data/loader/lane_plan.h"
#include "data/loader/random.h"
#include "data/loader/sequence_index.h"
#include "data/loader/transposition.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

class ShuffledPlan : public Plan {
 public:
  ShuffledPlan(SequenceIndex index, Transposition transposition, std::int64_t global_batch, std::uint64_t seed)
      : index_(std::move(index)),
        transposition_(std::move(transposition)),
        order_(index_.size(), seed),
        global_batch_(global_batch),
        seed_(seed) {}

  /// Positions run on from epoch to epoch, and a batch is `global_batch` of them.
  std::vector<SequenceRef> batch(std::int64_t step) const override {
    std::vector<SequenceRef> sequences;
    EpochOrder::Permutation order;
    for (std::int64_t i = 0; i < global_batch_; ++i) {
      const std::int64_t position = step * global_batch_ + i;
      const std::int64_t epoch = position / index_.size();
      const std::int64_t place = position % index_.size();
      if (order == nullptr || place == 0) order = order_.of(epoch);
      sequences.push_back(at(epoch, (*order)[static_cast<std::size_t>(place)]));
    }
    return sequences;
  }

  std::int64_t sequences_per_epoch() const override { return index_.size(); }
  std::int64_t global_batch() const override { return global_batch_; }
  std::int64_t sequence_length() const override { return index_.sequence_length(); }

 private:
  SequenceRef at(std::int64_t epoch, std::int64_t number) const {
    const auto [piece, sequence, cut] = index_.find(number);
    const std::int64_t head =
        uniform(random_bits(seed_, Purpose::kCut, {epoch, piece}), cut.shortest_head(), cut.longest_head());
    const std::int64_t begin = cut.begin(sequence, head);
    const int semitones = transposition_.draw(piece, random_bits(seed_, Purpose::kTranspose, {epoch, number}));
    return {piece, begin, cut.end(sequence, head) - begin, semitones};
  }

  SequenceIndex index_;
  Transposition transposition_;
  EpochOrder order_;
  std::int64_t global_batch_;
  std::uint64_t seed_;
};

void require_batch(std::int64_t global_batch) {
  if (global_batch < 1) {
    throw UsageError(fmt::format("train.global_batch is {}: it must be at least 1", global_batch));
  }
}

}  // namespace

std::unique_ptr<Plan> make_training_plan(const std::vector<Piece>& pieces, const Vocabulary& vocabulary,
                                         const DataOptions& options, std::int64_t global_batch, std::uint64_t seed) {
  require_batch(global_batch);
  SequenceIndex index(pieces, options.sequence_length);
  if (index.size() == 0) {
    throw UsageError(fmt::format("data.pack: {} has nothing to train on, its training split is empty; pack more pieces",
                                 options.pack.string()));
  }
  Transposition transposition(options.transpose, pieces, vocabulary);
  if (options.order == Order::kLanes) {
    return std::make_unique<LanePlan>(pieces, std::move(transposition), options.sequence_length, global_batch, seed);
  }
  return std::make_unique<ShuffledPlan>(std::move(index), std::move(transposition), global_batch, seed);
}

std::unique_ptr<Plan> make_training_plan(const Pack& pack, const DataOptions& options, std::int64_t global_batch,
                                         std::uint64_t seed) {
  return make_training_plan(pack.pieces(Split::kTrain), pack.vocabulary(), options, global_batch, seed);
}

std::string name_of(const Piece& piece, const SequenceRef& sequence) {
  if (sequence.length == 0) return "padding (no sequence)";
  std::string name = fmt::format("{}, tokens {}..{}", piece.file, sequence.begin, sequence.begin + sequence.length - 1);
  if (sequence.semitones != 0) {
    name += fmt::format(", {:+} semitone{}", sequence.semitones, std::abs(sequence.semitones) == 1 ? "" : "s");
  }
  return name;
}

std::string name_of(const Pack& pack, Split split, const SequenceRef& sequence) {
  return name_of(pack.pieces(split).at(static_cast<std::size_t>(sequence.piece)), sequence);
}

}  // namespace etude::data
