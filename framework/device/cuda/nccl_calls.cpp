#include "framework/device/cuda/nccl_calls.h"

#include <cstring>
#include <functional>
#include <numeric>

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <fmt/format.h>
#include <nccl.h>

#include "framework/config/error.h"

namespace etude::device {
namespace {

/// NCCL keeps the last error's details apart from its code.
void check(ncclResult_t result, const char* call, ncclComm_t comm = nullptr) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  const char* details = ncclGetLastError(comm);
  throw Error(fmt::format("{}: {}{}{}", call, ncclGetErrorString(result), details != nullptr && *details ? "; " : "",
                          details != nullptr ? details : ""));
}

ncclDataType_t type_to_reduce(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kHalf:
      return ncclFloat16;
    case at::kBFloat16:
      return ncclBfloat16;
    case at::kLong:
      return ncclInt64;
    case at::kInt:
      return ncclInt32;
    case at::kChar:
      return ncclInt8;
    case at::kByte:
      return ncclUint8;
    default:
      throw Error(fmt::format("NCCL has no arithmetic for {}; convert to float32 first", at::toString(type)));
  }
}

ncclRedOp_t op_of(comm::ReduceOp op) {
  switch (op) {
    case comm::ReduceOp::kSum:
      return ncclSum;
    case comm::ReduceOp::kMin:
      return ncclMin;
    case comm::ReduceOp::kMax:
      return ncclMax;
  }
  throw Error("all_reduce: unknown operation");
}

class Calls : public comm::NcclCalls {
 public:
  Calls(const ncclUniqueId& id, int rank, int size, int device)
      : rank_(rank),
        size_(size),
        device_(static_cast<c10::DeviceIndex>(device)),
        stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device_)) {
    const c10::cuda::CUDAGuard guard(device_);
    check(ncclCommInitRank(&comm_, size, id, rank), "ncclCommInitRank");
  }

  c10::Stream stream() const override { return stream_.unwrap(); }

  std::string version() const override {
    int number = 0;
    check(ncclGetVersion(&number), "ncclGetVersion");
    return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
  }

  void all_reduce(const at::Tensor& values, comm::ReduceOp op) override {
    check(ncclAllReduce(values.const_data_ptr(), values.mutable_data_ptr(), count(values.numel()),
                        type_to_reduce(values.scalar_type()), op_of(op), comm_, stream_.stream()),
          "ncclAllReduce", comm_);
  }

  void broadcast(const at::Tensor& values, int root) override {
    check(ncclBroadcast(values.const_data_ptr(), values.mutable_data_ptr(), values.nbytes(), ncclUint8, root, comm_,
                        stream_.stream()),
          "ncclBroadcast", comm_);
  }

  void reduce_scatter(const at::Tensor& output, const at::Tensor& input) override {
    check(ncclReduceScatter(input.const_data_ptr(), output.mutable_data_ptr(), count(output.numel()),
                            type_to_reduce(input.scalar_type()), ncclSum, comm_, stream_.stream()),
          "ncclReduceScatter", comm_);
  }

  void all_gather(const at::Tensor& output, const at::Tensor& input, const std::vector<std::int64_t>& counts) override {
    const std::size_t width = output.element_size();
    auto* const to = static_cast<char*>(output.mutable_data_ptr());
    bool even = true;
    for (const std::int64_t other : counts) even = even && other == counts.front();
    if (even) {  // in place too, when input is this rank's part of output
      check(ncclAllGather(input.const_data_ptr(), to, input.nbytes(), ncclUint8, comm_, stream_.stream()),
            "ncclAllGather", comm_);
      return;
    }
    in_group([&] {
      std::size_t at = 0;
      for (int root = 0; root < size_; ++root) {
        const std::size_t bytes = count(counts[static_cast<std::size_t>(root)]) * width;
        const void* const from = root == rank_ ? input.const_data_ptr() : to + at;
        if (bytes > 0) {
          check(ncclBroadcast(from, to + at, bytes, ncclUint8, root, comm_, stream_.stream()), "ncclBroadcast", comm_);
        }
        at += bytes;
      }
    });
  }

  void all_to_all(const at::Tensor& output, const std::vector<std::int64_t>& receive_counts, const at::Tensor& input,
                  const std::vector<std::int64_t>& send_counts) override {
    const std::size_t width = input.element_size();
    const auto* from = static_cast<const char*>(input.const_data_ptr());
    auto* to = static_cast<char*>(output.mutable_data_ptr());
    in_group([&] {
      for (int peer = 0; peer < size_; ++peer) {
        const std::size_t sent = count(send_counts[static_cast<std::size_t>(peer)]) * width;
        const std::size_t received = count(receive_counts[static_cast<std::size_t>(peer)]) * width;
        if (sent > 0) check(ncclSend(from, sent, ncclUint8, peer, comm_, stream_.stream()), "ncclSend", comm_);
        if (received > 0) check(ncclRecv(to, received, ncclUint8, peer, comm_, stream_.stream()), "ncclRecv", comm_);
        from += sent;
        to += received;
      }
    });
  }

  std::string trouble() override {
    ncclResult_t state = ncclSuccess;
    const ncclResult_t asked = ncclCommGetAsyncError(comm_, &state);
    if (asked != ncclSuccess) state = asked;
    if (state == ncclSuccess || state == ncclInProgress) return "";
    const char* details = ncclGetLastError(comm_);
    return fmt::format("NCCL: {}; {}", ncclGetErrorString(state), details != nullptr ? details : "");
  }

  void abort() override {
    const c10::cuda::CUDAGuard guard(device_);
    ncclCommAbort(comm_);
  }

  void close() override {
    const c10::cuda::CUDAGuard guard(device_);
    stream_.synchronize();
    check(ncclCommDestroy(comm_), "ncclCommDestroy");
  }

 private:
  static std::size_t count(std::int64_t values) { return static_cast<std::size_t>(values); }

  /// The calls that `add` makes begin together, so that sending and receiving cannot wait for each other.
  void in_group(const std::function<void()>& add) {
    check(ncclGroupStart(), "ncclGroupStart");
    try {
      add();
    } catch (...) {
      ncclGroupEnd();  // the group must be closed; what went wrong first is what is told
      throw;
    }
    check(ncclGroupEnd(), "ncclGroupEnd", comm_);
  }

  const int rank_, size_;
  const c10::DeviceIndex device_;
  const c10::cuda::CUDAStream stream_;
  ncclComm_t comm_ = nullptr;
};

}  // namespace

std::string new_nccl_id() {
  ncclUniqueId id;
  check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  return {id.internal, sizeof id.internal};
}

std::unique_ptr<comm::NcclCalls> connect_nccl(const std::string& text, int rank, int size, int device) {
  ncclUniqueId id;
  if (text.size() != sizeof id.internal) throw Error("NCCL: rank 0 sent no identifier of this NCCL's kind");
  std::memcpy(id.internal, text.data(), text.size());
  return std::make_unique<Calls>(id, rank, size, device);
}

}  // namespace etude::device
