#include "framework/comm/single_process.h"

#include <cstring>

#include "framework/comm/arguments.h"

namespace etude::comm {
namespace {

class DoneAlready : public Work {
 public:
  void wait() override {}
  bool done() override { return true; }
};

WorkPtr done_already() {
  static const WorkPtr work = std::make_shared<DoneAlready>();
  return work;
}

at::DeviceType device_of(const at::Tensor& tensor) { return tensor.defined() ? tensor.device().type() : at::kCPU; }

WorkPtr copy(const at::Tensor& output, const at::Tensor& input) {
  if (input.numel() == 0 || output.data_ptr() == input.data_ptr()) return done_already();
  if (input.is_cpu()) {
    std::memcpy(output.data_ptr(), input.data_ptr(), input.nbytes());
  } else {
    output.view({-1}).copy_(input.view({-1}), /*non_blocking=*/true);
  }
  return done_already();
}

}  // namespace

WorkPtr SingleProcess::all_reduce(at::Tensor values, ReduceOp) {
  check_tensor("all_reduce", values, device_of(values));
  return done_already();
}

WorkPtr SingleProcess::broadcast(at::Tensor values, int root) {
  check_tensor("broadcast", values, device_of(values));
  check_root("broadcast", root, size());
  return done_already();
}

WorkPtr SingleProcess::reduce_scatter(at::Tensor output, at::Tensor input) {
  check_reduce_scatter(output, input, size(), device_of(input));
  return copy(output, input);
}

WorkPtr SingleProcess::all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) {
  check_all_gather(output, input, counts, rank(), size(), device_of(input));
  return copy(output, input);
}

WorkPtr SingleProcess::all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                                  std::vector<std::int64_t> send_counts) {
  check_all_to_all(output, receive_counts, input, send_counts, rank(), size(), device_of(input));
  return copy(output, input);
}

}  // namespace etude::comm
