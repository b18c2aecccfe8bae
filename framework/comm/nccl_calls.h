#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include "framework/comm/communicator.h"

namespace etude::comm {

/// NCCL's own calls, on one stream, with nothing around them; libetude_cuda.so has them. Each puts its work on the
/// stream and returns. Tensors are contiguous, on the GPU, and have been checked.
class NcclCalls {
 public:
  virtual ~NcclCalls() = default;
  virtual c10::Stream stream() const = 0;
  /// "2.28.9"
  virtual std::string version() const = 0;

  virtual void all_reduce(const at::Tensor& values, ReduceOp op) = 0;
  virtual void broadcast(const at::Tensor& values, int root) = 0;
  virtual void reduce_scatter(const at::Tensor& output, const at::Tensor& input) = 0;
  virtual void all_gather(const at::Tensor& output, const at::Tensor& input,
                          const std::vector<std::int64_t>& counts) = 0;
  virtual void all_to_all(const at::Tensor& output, const std::vector<std::int64_t>& receive_counts,
                          const at::Tensor& input, const std::vector<std::int64_t>& send_counts) = 0;

  /// What has gone wrong with calls that had returned; empty when nothing has.
  virtual std::string trouble() = 0;
  /// Ends what is on the stream, though other ranks never come. No call may follow; another thread may be in one.
  virtual void abort() = 0;
  /// Waits for the stream and lets go of NCCL, together with the other ranks. No call may follow.
  virtual void close() = 0;
};

}  // namespace etude::comm
