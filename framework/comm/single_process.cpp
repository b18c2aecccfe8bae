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

WorkPtr copy(const at::Tensor& output, const at::Tensor& input) {
  if (input.numel() > 0 && output.data_ptr() != input.data_ptr()) {
    std::memcpy(output.data_ptr(), input.data_ptr(), input.nbytes());
  }
  return done_already();
}

}  // namespace

WorkPtr SingleProcess::all_reduce(at::Tensor values, ReduceOp) {
  check_tensor("all_reduce", values);
  return done_already();
}

WorkPtr SingleProcess::broadcast(at::Tensor values, int root) {
  check_tensor("broadcast", values);
  check_root("broadcast", root, size());
  return done_already();
}

WorkPtr SingleProcess::reduce_scatter(at::Tensor output, at::Tensor input) {
  check_reduce_scatter(output, input, size());
  return copy(output, input);
}

WorkPtr SingleProcess::all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) {
  check_all_gather(output, input, counts, rank(), size());
  return copy(output, input);
}

WorkPtr SingleProcess::all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                                  std::vector<std::int64_t> send_counts) {
  check_all_to_all(output, receive_counts, input, send_counts, rank(), size());
  return copy(output, input);
}

}  // namespace etude::comm
