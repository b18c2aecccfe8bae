#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace etude::comm {

/// What a collective was asked to do, kept for the error message in case it fails.
struct Request {
  const char* operation;
  std::int64_t values;
  at::ScalarType type;

  /// "all_reduce of 1024 Float values"
  std::string text() const;
};

/// Where each rank's part begins, given how much each has; one more entry than `counts`, the last is the sum.
std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts);

/// These throw Error on the caller's thread, before anything is sent, when tensors and counts do not fit together:
/// found later it would be another rank's crash. `device` is the kind of memory that the communicator moves.
void check_tensor(const char* operation, const at::Tensor& tensor, at::DeviceType device = at::kCPU);
void check_root(const char* operation, int root, int size);
void check_reduce_scatter(const at::Tensor& output, const at::Tensor& input, int size,
                          at::DeviceType device = at::kCPU);
void check_all_gather(const at::Tensor& output, const at::Tensor& input, const std::vector<std::int64_t>& counts,
                      int rank, int size, at::DeviceType device = at::kCPU);
void check_all_to_all(const at::Tensor& output, const std::vector<std::int64_t>& receive_counts,
                      const at::Tensor& input, const std::vector<std::int64_t>& send_counts, int rank, int size,
                      at::DeviceType device = at::kCPU);

}  // namespace etude::comm
