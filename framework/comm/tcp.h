#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "framework/comm/communicator.h"
#include "framework/comm/socket.h"

namespace etude::comm {

/// A rank as RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT describe it.
struct TcpPlace {
  int rank = 0;
  int size = 1;
  std::optional<int> local_rank{};  ///< LOCAL_RANK; counted by host names where it is not given
  std::optional<int> local_size{};  ///< LOCAL_WORLD_SIZE, likewise
  std::string address;              ///< of rank 0
  int port = 0;
  std::chrono::seconds patience{300};  ///< how long ranks wait for each other at the start
};

/// Ranks that were started without MPI. All talk to rank 0 alone, each collective is carried out where it is posted,
/// and the work is done when it returns: enough for what ranks agree on and for bringing NCCL up, slow for gradients.
///
/// The connections stay open as long as the ranks live, so that the death of one is seen by the others.
class Tcp : public Communicator {
 public:
  /// Meets the other ranks at rank 0. Throws Error when the port is taken, when not all have come in time (naming who
  /// has not), or when a rank was started with another WORLD_SIZE or as one that is there already.
  explicit Tcp(const TcpPlace& place);
  ~Tcp() override;

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  int local_rank() const override { return *place_.local_rank; }
  int local_size() const override { return *place_.local_size; }
  std::string name() const override;

  WorkPtr all_reduce(at::Tensor values, ReduceOp op) override;
  WorkPtr broadcast(at::Tensor values, int root) override;
  WorkPtr reduce_scatter(at::Tensor output, at::Tensor input) override;
  WorkPtr all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) override;
  WorkPtr all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                     std::vector<std::int64_t> send_counts) override;
  void barrier() override;
  std::string lost_rank() override;
  /// A rank that says nothing for so long is an Error that names it. Nobody can ask the others why.
  void watch(const Deadline& deadline) override;

 private:
  enum class Kind : std::uint32_t { kAllReduce = 1, kBroadcast, kAllGather, kAllToAll, kBarrier };

  void gather_ranks();
  void join_ranks();
  void count_local_ranks(const std::vector<std::string>& hosts);

  /// Sends a message about this collective; on the other side it must be expected, or the ranks disagree.
  void send(Socket& to, Kind kind, const at::Tensor& values);
  void receive(Socket& from, Kind kind, const at::Tensor& values);
  Socket& rank_zero() { return connections_.front(); }
  Socket& connection(int rank) { return connections_[static_cast<std::size_t>(rank)]; }

  TcpPlace place_;
  std::mutex mutex_;                 // one collective at a time
  std::vector<Socket> connections_;  // rank 0: by rank, its own empty; the others: to rank 0
  std::uint64_t collectives_ = 0;
  std::chrono::seconds patience_{0};  // 0: for ever
};

}  // namespace etude::comm
