#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "framework/comm/arguments.h"
#include "framework/comm/communicator.h"
#include "framework/comm/flight_recorder.h"
#include "framework/comm/nccl_calls.h"
#include "framework/comm/patience.h"

namespace etude::comm {

/// Ranks with a GPU each. Tensors of the GPU travel by NCCL, on a stream of their own that events order against the
/// computing stream, so that the host never waits; tensors of the CPU by the communicator that brought NCCL up.
///
/// A thread looks after what is under way: it asks NCCL for errors that come after the call, sees the deadline, and
/// breaks NCCL off when a collective can no longer end, so that nobody waits for a GPU that waits for another.
class Nccl : public Communicator {
 public:
  /// `host` connects the same ranks and must outlive this; `calls` connects their GPUs.
  Nccl(Communicator& host, std::unique_ptr<NcclCalls> calls);
  ~Nccl() override;

  int rank() const override { return host_.rank(); }
  int size() const override { return host_.size(); }
  int local_rank() const override { return host_.local_rank(); }
  int local_size() const override { return host_.local_size(); }
  std::string name() const override;

  /// Of float32, float64, float16, bfloat16, int64, int32, int8 and uint8; the others copy values of any type.
  WorkPtr all_reduce(at::Tensor values, ReduceOp op) override;
  WorkPtr broadcast(at::Tensor values, int root) override;
  WorkPtr reduce_scatter(at::Tensor output, at::Tensor input) override;
  WorkPtr all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) override;
  WorkPtr all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                     std::vector<std::int64_t> send_counts) override;
  void barrier() override { host_.barrier(); }

  std::optional<c10::Stream> stream() const override { return calls_->stream(); }
  std::string lost_rank() override { return host_.lost_rank(); }
  void describe(std::int64_t step, const char* doing) override;
  /// The GPUs' collectives alone; the host's are watched by its own.
  void watch(const Deadline& deadline) override;
  [[noreturn]] void abort(int code) override;

 private:
  class Flying;
  struct Failure;

  /// Lets `launch` put a collective on the stream, after all that is on the current stream.
  WorkPtr post(const char* operation, const at::Tensor& about, std::vector<at::Tensor> tensors,
               const std::function<void()>& launch);
  void look_after();
  std::string trouble();
  void forget_finished();
  void end_of_patience();

  Communicator& host_;
  std::unique_ptr<NcclCalls> calls_;
  const std::shared_ptr<Failure> failure_;
  const int exceptions_at_start_;
  FlightRecorder recorder_;

  std::mutex posting_;  // keeps the order on the stream; may be held for long, when NCCL waits for other ranks

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Flying>> flying_;  // oldest first; keeps their tensors alive
  Deadline deadline_;
  bool leaving_ = false;

  Patience patience_;  // the watching thread's own
  std::thread watcher_;
};

}  // namespace etude::comm
