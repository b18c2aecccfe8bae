#include "framework/comm/mpi_mailbox.h"

#include <type_traits>
#include <utility>

#include "framework/comm/mpi_thread.h"

namespace etude::comm {
namespace {

constexpr int kTag = 1;
constexpr int kBytes = sizeof(Standing);
static_assert(std::is_trivially_copyable_v<Standing>);

}  // namespace

MpiMailbox::MpiMailbox() {
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &communicator_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_rank(communicator_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(communicator_, &size_), "MPI_Comm_size");
  listen();
}

void MpiMailbox::listen() {
  check_mpi(MPI_Irecv(&arriving_, kBytes, MPI_BYTE, MPI_ANY_SOURCE, kTag, communicator_, &listening_), "MPI_Irecv");
}

void MpiMailbox::send_to_others(const Standing& mine) {
  const std::lock_guard lock(mutex_);
  outgoing_.push_back(mine);
}

std::vector<Standing> MpiMailbox::receive() {
  const std::lock_guard lock(mutex_);
  return std::exchange(arrived_, {});
}

void MpiMailbox::move() {
  std::vector<Standing> outgoing;
  {
    const std::lock_guard lock(mutex_);
    outgoing.swap(outgoing_);
  }
  for (const Standing& mine : outgoing) {
    sent_.push_back(std::make_unique<Standing>(mine));
    for (int distance = 1; distance < size_; ++distance) {
      MPI_Request request = MPI_REQUEST_NULL;
      // Nobody asks whether it arrived, so it cannot fail in a way that would help to know of.
      MPI_Isend(sent_.back().get(), kBytes, MPI_BYTE, (rank_ + distance) % size_, kTag, communicator_, &request);
      if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
    }
  }
  int came = 1;
  while (MPI_Test(&listening_, &came, MPI_STATUS_IGNORE) == MPI_SUCCESS && came) {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(arriving_);
    listen();
  }
}

void MpiMailbox::close() {
  MPI_Cancel(&listening_);
  MPI_Wait(&listening_, MPI_STATUS_IGNORE);
  MPI_Comm_free(&communicator_);
}

}  // namespace etude::comm
