#include "data/loader/lane_plan.h"

#include <algorithm>

#include "data/loader/cut.h"
#include "data/loader/random.h"

namespace etude::data {
namespace {

/// More than a loader reads ahead, so that whoever asks for a step of a moment ago does not cost a walk from the start.
constexpr std::size_t kMomentsKept = 16;

std::vector<std::int64_t> with_targets(const std::vector<Piece>& pieces) {
  std::vector<std::int64_t> found;
  for (std::int64_t piece = 0; piece < std::ssize(pieces); ++piece) {
    if (targets_of(pieces[static_cast<std::size_t>(piece)].tokens) > 0) found.push_back(piece);
  }
  return found;
}

}  // namespace

LanePlan::LanePlan(const std::vector<Piece>& pieces, Transposition transposition, std::int64_t sequence_length,
                   std::int64_t lanes, std::uint64_t seed)
    : pieces_(with_targets(pieces)),
      transposition_(std::move(transposition)),
      sequence_length_(sequence_length),
      lanes_(lanes),
      seed_(seed),
      order_(std::ssize(pieces_), seed) {
  for (const std::int64_t piece : pieces_) {
    targets_.push_back(targets_of(pieces[static_cast<std::size_t>(piece)].tokens));
    segments_per_epoch_ += Cut{targets_.back(), sequence_length}.count();
  }
}

std::vector<SequenceRef> LanePlan::batch(std::int64_t step) const {
  const Moment moment = moment_at(step);
  std::vector<SequenceRef> sequences;
  for (const Lane& lane : moment.lanes) sequences.push_back(segment_of(lane, step));
  return sequences;
}

std::int64_t LanePlan::segments_of(std::int64_t piece) const {
  return Cut{targets_[static_cast<std::size_t>(piece)], sequence_length_}.count();
}

SequenceRef LanePlan::segment_of(const Lane& lane, std::int64_t step) const {
  const auto index = static_cast<std::size_t>(lane.piece);
  const std::int64_t begin = (step - lane.begun) * sequence_length_;
  const std::uint64_t bits = random_bits(seed_, Purpose::kTranspose, {lane.epoch, pieces_[index]});
  return {.piece = pieces_[index],
          .begin = begin,
          .length = std::min(sequence_length_, targets_[index] - begin),
          .semitones = transposition_.draw(pieces_[index], bits),
          .continues = step > lane.begun};
}

void LanePlan::take_next_piece(Moment& moment, Lane& lane) const {
  const std::int64_t count = std::ssize(pieces_);
  const std::int64_t epoch = moment.taken / count, place = moment.taken % count;
  if (place == 0) moment.order = order_.of(epoch);
  const std::int64_t piece = (*moment.order)[static_cast<std::size_t>(place)];
  lane = {epoch, piece, lane.free, lane.free + segments_of(piece)};
  ++moment.taken;
}

void LanePlan::advance(Moment& moment, std::int64_t step) const {
  // From one step at which a lane is free to the next.
  const auto earlier = [](const Lane& a, const Lane& b) { return a.free < b.free; };
  for (;;) {
    const std::int64_t next = std::min_element(moment.lanes.begin(), moment.lanes.end(), earlier)->free;
    if (next > step) break;
    for (Lane& lane : moment.lanes) {
      if (lane.free == next) take_next_piece(moment, lane);
    }
  }
  moment.step = step;
}

LanePlan::Moment LanePlan::moment_at(std::int64_t step) const {
  const std::lock_guard lock(mutex_);
  Moment moment{.step = 0, .taken = 0, .order = nullptr, .lanes = std::vector<Lane>(static_cast<std::size_t>(lanes_))};
  for (const Moment& known : known_) {
    if (known.step <= step && known.step >= moment.step) moment = known;
  }
  advance(moment, step);
  known_.push_back(moment);
  if (known_.size() > kMomentsKept) known_.pop_front();
  return moment;
}

}  // namespace etude::data
