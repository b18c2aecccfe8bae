#include "data/loader/evaluation_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/core.h>

#include "data/loader/cut.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

/// How many targets of each piece are to be measured.
std::vector<std::int64_t> requested_targets(const std::vector<Piece>& pieces, const EvaluationRequest& request) {
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  std::int64_t tokens_left = request.tokens > 0 ? request.tokens : kAll;
  std::int64_t sequences_left = request.sequences > 0 ? request.sequences : kAll;
  std::vector<std::int64_t> targets;
  for (const Piece& piece : pieces) {
    std::int64_t wanted = std::min(targets_of(piece.tokens), tokens_left);
    if (Cut{wanted, request.length}.count() > sequences_left) wanted = sequences_left * request.length;
    targets.push_back(wanted);
    tokens_left -= wanted;
    sequences_left -= Cut{wanted, request.length}.count();
  }
  return targets;
}

/// A piece's i-th segment of a certain length, cut from its beginning; one of length 0 behind its end.
SequenceRef segment(std::int64_t piece, std::int64_t targets, std::int64_t length, std::int64_t index) {
  const std::int64_t begin = index * length;
  if (begin >= targets) return {};
  return {.piece = piece, .begin = begin, .length = std::min(length, targets - begin), .continues = index > 0};
}

/// Sequences that need not know of one another: every batch is a walk of its own. Those of a piece are numbered, and
/// made when they are asked for, since windows are as many as there are tokens.
class BatchesAlone : public EvaluationPlan {
 public:
  BatchesAlone(const std::vector<Piece>& pieces, const EvaluationRequest& request)
      : request_(request), targets_(requested_targets(pieces, request)), first_{0} {
    for (const std::int64_t targets : targets_) first_.push_back(first_.back() + sequences_of(targets));
  }

  std::int64_t walks() const override { return (sequences() + request_.rows - 1) / request_.rows; }
  std::int64_t batches_of(std::int64_t) const override { return 1; }
  std::int64_t sequences() const override { return first_.back(); }
  Walk walk(std::int64_t index) const override {
    std::vector<SequenceRef> batch;
    for (std::int64_t row = 0; row < request_.rows; ++row) batch.push_back(sequence(index * request_.rows + row));
    return {batch};
  }

 private:
  bool slides() const { return request_.walking == Walking::kSliding; }

  std::int64_t sequences_of(std::int64_t targets) const {
    if (!slides()) return Cut{targets, request_.length}.count();
    return targets == 0 ? 0 : 1 + std::max<std::int64_t>(0, targets - request_.length);
  }

  SequenceRef sequence(std::int64_t number) const {
    if (number >= sequences()) return {};
    // The last piece that starts at or before it: pieces without sequences share their start with the next.
    const auto after = std::upper_bound(first_.begin(), first_.end(), number);
    const std::int64_t piece = after - first_.begin() - 1;
    const std::int64_t targets = targets_[static_cast<std::size_t>(piece)];
    const std::int64_t within = number - first_[static_cast<std::size_t>(piece)];
    SequenceRef made = segment(piece, targets, request_.length, slides() ? 0 : within);
    made.continues = false;
    if (slides() && within > 0) {  // the first window tells of all its tokens, each further one of its last alone
      made.begin = within;
      made.unmeasured = made.length - 1;
    }
    return made;
  }

  EvaluationRequest request_;
  std::vector<std::int64_t> targets_;
  std::vector<std::int64_t> first_;  ///< of each piece, and one past the last
};

/// Pieces side by side, `rows` of about one length, so that few rows wait for the longest among them.
class PiecesSideBySide : public EvaluationPlan {
 public:
  PiecesSideBySide(const std::vector<Piece>& pieces, const EvaluationRequest& request)
      : request_(request), targets_(requested_targets(pieces, request)) {
    order_.resize(targets_.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::erase_if(order_, [&](std::int64_t piece) { return targets(piece) == 0; });
    // The longest first: they are not to be what the others wait for in the end.
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::int64_t a, std::int64_t b) { return targets(a) > targets(b); });
  }

  std::int64_t walks() const override { return (std::ssize(order_) + request_.rows - 1) / request_.rows; }
  std::int64_t batches_of(std::int64_t walk) const override {
    return Cut{targets(order_[static_cast<std::size_t>(walk * request_.rows)]), request_.length}.count();
  }
  std::int64_t sequences() const override {
    return std::accumulate(targets_.begin(), targets_.end(), std::int64_t{0},
                           [&](std::int64_t sum, std::int64_t count) {
                             return sum + Cut{count, request_.length}.count();
                           });
  }
  Walk walk(std::int64_t index) const override {
    const std::int64_t begin = index * request_.rows, end = std::min(begin + request_.rows, std::ssize(order_));
    Walk made(static_cast<std::size_t>(batches_of(index)),
              std::vector<SequenceRef>(static_cast<std::size_t>(request_.rows)));
    for (std::int64_t row = 0; row < end - begin; ++row) {
      const std::int64_t piece = order_[static_cast<std::size_t>(begin + row)];
      for (std::size_t step = 0; step < made.size(); ++step) {
        made[step][static_cast<std::size_t>(row)] =
            segment(piece, targets(piece), request_.length, static_cast<std::int64_t>(step));
      }
    }
    return made;
  }

 private:
  std::int64_t targets(std::int64_t piece) const { return targets_[static_cast<std::size_t>(piece)]; }

  EvaluationRequest request_;
  std::vector<std::int64_t> targets_;
  std::vector<std::int64_t> order_;  ///< pieces, the longest first
};

}  // namespace

std::unique_ptr<EvaluationPlan> make_evaluation_plan(const std::vector<Piece>& pieces,
                                                     const EvaluationRequest& request) {
  if (request.length < 1) throw UsageError(fmt::format("sequences of {} tokens cannot be evaluated", request.length));
  if (request.rows < 1) throw UsageError(fmt::format("{} sequences at once cannot be evaluated", request.rows));
  if (request.walking == Walking::kSegments) return std::make_unique<PiecesSideBySide>(pieces, request);
  return std::make_unique<BatchesAlone>(pieces, request);
}

}  // namespace etude::data
