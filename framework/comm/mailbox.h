#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace etude::comm {

/// Where a rank stands, as it tells the others when a deadline has passed. Goes over the wire as it lies in memory.
struct Standing {
  std::int32_t rank = 0;
  std::int32_t written = 0;            ///< 1 once all that this rank knows is on disk
  std::int64_t step = 0;               ///< 0 before the first
  std::int64_t posted = 0;             ///< how many collectives it has posted
  std::int64_t waits_for = 0;          ///< the number of the oldest that is not done; 0 when all are
  double waited = 0;                   ///< seconds it has been under way
  std::array<char, 64> doing{};        ///< "computing"
  std::array<char, 192> collective{};  ///< in words, the one that it waits for
};

/// Carries standings between ranks beside the collectives, which may be stuck. Nothing here blocks; what is sent to a
/// rank that has gone is lost.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  virtual void send_to_others(const Standing& mine) = 0;
  /// What has come since the last call.
  virtual std::vector<Standing> receive() = 0;
};

}  // namespace etude::comm
