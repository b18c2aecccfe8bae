#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <mpi.h>

#include "framework/comm/mailbox.h"

namespace etude::comm {

/// A mailbox on a communicator of its own, so that its messages and the collectives never meet. send_to_others() and
/// receive() are for any thread; all else happens on the communication thread, which calls move() now and then.
class MpiMailbox : public Mailbox {
 public:
  /// Every rank makes one at the same place, since MPI duplicates a communicator together.
  MpiMailbox();
  /// Frees nothing: where MPI goes on to its end, close() has been called before.
  ~MpiMailbox() override = default;

  void send_to_others(const Standing& mine) override;
  std::vector<Standing> receive() override;

  void move();
  /// Before MPI_Finalize.
  void close();

 private:
  void listen();

  MPI_Comm communicator_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  Standing arriving_;
  MPI_Request listening_ = MPI_REQUEST_NULL;
  std::vector<std::unique_ptr<Standing>> sent_;  ///< MPI may read them until the end

  std::mutex mutex_;
  std::vector<Standing> outgoing_, arrived_;
};

}  // namespace etude::comm
