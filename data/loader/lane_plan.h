#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "data/loader/epoch_order.h"
#include "data/loader/plan.h"
#include "data/loader/transposition.h"

namespace etude::data {

/// Training data in the order in which it was composed: row r of every batch is lane r, which walks through a piece
/// segment by segment and then takes the next of an endless stream of pieces, epoch after epoch, each shuffled. Of
/// lanes that end their pieces at one step the lowest takes first. So no lane is ever idle, and each epoch still holds
/// every token once. A piece is cut from its beginning, and transposed as a whole.
class LanePlan : public Plan {
 public:
  /// `pieces`: at least one of them with something to learn.
  LanePlan(const std::vector<Piece>& pieces, Transposition transposition, std::int64_t sequence_length,
           std::int64_t lanes, std::uint64_t seed);

  std::vector<SequenceRef> batch(std::int64_t step) const override;
  std::int64_t sequences_per_epoch() const override { return segments_per_epoch_; }
  std::int64_t global_batch() const override { return lanes_; }
  std::int64_t sequence_length() const override { return sequence_length_; }

 private:
  struct Lane {
    std::int64_t epoch = 0;
    std::int64_t piece = 0;  ///< among those with something to learn
    std::int64_t begun = 0;  ///< the step of its first segment
    std::int64_t free = 0;   ///< the step after its last one
  };
  /// Where all lanes are at a step.
  struct Moment {
    std::int64_t step = 0;
    std::int64_t taken = 0;         ///< pieces, from the stream
    EpochOrder::Permutation order;  ///< of the epoch that the stream is in
    std::vector<Lane> lanes;
  };

  std::int64_t segments_of(std::int64_t piece) const;
  SequenceRef segment_of(const Lane& lane, std::int64_t step) const;
  void take_next_piece(Moment& moment, Lane& lane) const;
  void advance(Moment& moment, std::int64_t step) const;
  Moment moment_at(std::int64_t step) const;

  std::vector<std::int64_t> pieces_, targets_;  ///< those with something to learn, and how much
  Transposition transposition_;
  std::int64_t sequence_length_;
  std::int64_t lanes_;
  std::uint64_t seed_;
  EpochOrder order_;
  std::int64_t segments_per_epoch_ = 0;

  mutable std::mutex mutex_;
  mutable std::deque<Moment> known_;  ///< asked for last: the next one is mostly a step from one of these
};

}  // namespace etude::data
