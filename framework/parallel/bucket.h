#pragma once

#include <atomic>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "framework/comm/communicator.h"

namespace etude::parallel {

/// Gradients that travel together, on their way from grains to one sum over all ranks.
class Bucket {
 public:
  explicit Bucket(at::Tensor sum) : sum_(std::move(sum)) {}
  virtual ~Bucket() = default;

  virtual void begin() { ready_.store(false); }
  /// Takes the gradient of one parameter, which stands at `offset`, from one grain of this rank. Thread-safe.
  virtual void add(std::int64_t grain, std::int64_t offset, const at::Tensor& gradient) = 0;
  /// Whether every grain of this rank has given everything.
  bool ready() const { return ready_.load(std::memory_order_acquire); }

  /// Sends a ready bucket to the other ranks. No work when there is nothing to do.
  virtual comm::WorkPtr start_exchange() = 0;
  /// Once the exchange has arrived: the second half of the way, for buckets that have one.
  virtual comm::WorkPtr start_gather() { return nullptr; }

  /// float32, [values of the bucket]: the result, when all work is done.
  const at::Tensor& sum() const { return sum_; }

 protected:
  void set_ready() { ready_.store(true, std::memory_order_release); }

 private:
  at::Tensor sum_;
  std::atomic<bool> ready_ = false;
};

}  // namespace etude::parallel
