#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/loader/plan.h"

namespace etude::data {

/// How pieces are measured.
enum class Walking {
  kSequences,  ///< cut into sequences that know nothing of one another
  kSegments,   ///< each piece from its beginning to its end, segment by segment, by a model that remembers
  kSliding,    ///< each token after a window of as many tokens before it as there are, made anew for every token
};

struct EvaluationRequest {
  Walking walking = Walking::kSequences;
  std::int64_t length = 512;  ///< inputs that a sequence, segment or window has at most
  std::int64_t rows = 4;      ///< sequences computed at once
  /// How much of the split, from its beginning: sequences (counted as kSequences cuts them) and tokens; 0 for all.
  std::int64_t sequences = 0;
  std::int64_t tokens = 0;
};

/// What an evaluation consists of: walks, which may be made in any order and by anybody. A walk is batches to be
/// computed one after the other, `rows` sequences each; a row that has nothing more to do has length 0.
class EvaluationPlan {
 public:
  using Walk = std::vector<std::vector<SequenceRef>>;

  virtual ~EvaluationPlan() = default;
  virtual std::int64_t walks() const = 0;
  virtual Walk walk(std::int64_t index) const = 0;
  virtual std::int64_t batches_of(std::int64_t walk) const = 0;
  /// Sequences to be computed in all walks together.
  virtual std::int64_t sequences() const = 0;
};

/// Throws UsageError when length or rows make no sense.
std::unique_ptr<EvaluationPlan> make_evaluation_plan(const std::vector<Piece>& pieces,
                                                     const EvaluationRequest& request);

}  // namespace etude::data
