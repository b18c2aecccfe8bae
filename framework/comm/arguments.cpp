#include "framework/comm/arguments.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::comm {
namespace {

void check_pair(const char* operation, const at::Tensor& output, const at::Tensor& input, at::DeviceType device) {
  check_tensor(operation, output, device);
  check_tensor(operation, input, device);
  if (output.scalar_type() != input.scalar_type()) {
    throw Error(fmt::format("{}: input holds {}, output {}; they must be of one type", operation,
                            at::toString(input.scalar_type()), at::toString(output.scalar_type())));
  }
}

void check_counts(const char* operation, const char* name, const std::vector<std::int64_t>& counts,
                  const at::Tensor& tensor, int size) {
  const bool negative = std::any_of(counts.begin(), counts.end(), [](std::int64_t count) { return count < 0; });
  const std::int64_t sum = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  if (negative || counts.size() != static_cast<std::size_t>(size) || sum != tensor.numel()) {
    throw Error(fmt::format("{}: {} has {} counts that sum to {}, for {} ranks and a tensor of {} values", operation,
                            name, counts.size(), sum, size, tensor.numel()));
  }
}

}  // namespace

std::string Request::text() const { return fmt::format("{} of {} {} values", operation, values, at::toString(type)); }

std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> offsets(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), offsets.begin() + 1);
  return offsets;
}

void check_tensor(const char* operation, const at::Tensor& tensor, at::DeviceType device) {
  if (!tensor.defined()) throw Error(fmt::format("{}: the tensor is undefined", operation));
  if (!tensor.is_contiguous()) throw Error(fmt::format("{}: the tensor is not contiguous", operation));
  if (tensor.device().type() != device) {
    throw Error(fmt::format("{}: the tensor is on {}, but this communicator moves {} memory only", operation,
                            tensor.device().str(), c10::DeviceTypeName(device)));
  }
}

void check_root(const char* operation, int root, int size) {
  if (root < 0 || root >= size) throw Error(fmt::format("{}: no rank {} among {} ranks", operation, root, size));
}

void check_reduce_scatter(const at::Tensor& output, const at::Tensor& input, int size, at::DeviceType device) {
  check_pair("reduce_scatter", output, input, device);
  if (output.numel() * size != input.numel()) {
    throw Error(
        fmt::format("reduce_scatter: {} values do not make {} parts of {}", input.numel(), size, output.numel()));
  }
}

void check_all_gather(const at::Tensor& output, const at::Tensor& input, const std::vector<std::int64_t>& counts,
                      int rank, int size, at::DeviceType device) {
  check_pair("all_gather", output, input, device);
  check_counts("all_gather", "output", counts, output, size);
  if (counts[static_cast<std::size_t>(rank)] != input.numel()) {
    throw Error(fmt::format("all_gather: rank {} gives {} values where counts say {}", rank, input.numel(),
                            counts[static_cast<std::size_t>(rank)]));
  }
}

void check_all_to_all(const at::Tensor& output, const std::vector<std::int64_t>& receive_counts,
                      const at::Tensor& input, const std::vector<std::int64_t>& send_counts, int rank, int size,
                      at::DeviceType device) {
  check_pair("all_to_all", output, input, device);
  check_counts("all_to_all", "output", receive_counts, output, size);
  check_counts("all_to_all", "input", send_counts, input, size);
  const auto own = static_cast<std::size_t>(rank);
  if (receive_counts[own] != send_counts[own]) {
    throw Error(fmt::format("all_to_all: rank {} sends itself {} values but receives {}", rank, send_counts[own],
                            receive_counts[own]));
  }
}

}  // namespace etude::comm
