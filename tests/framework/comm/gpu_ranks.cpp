// One rank, with a GPU, of the tests in test_nccl.cpp: does what its argument names and prints what it saw.
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/comm/communicator.h"
#include "framework/config/error.h"
#include "framework/device/device.h"
#include "tests/support/gpu.h"

namespace {

using namespace etude::comm;

void print(const Communicator& communicator, const std::string& what, const at::Tensor& values) {
  const at::Tensor numbers = values.cpu().to(at::kDouble);
  fmt::print("rank {} {} {}\n", communicator.rank(), what,
             fmt::join(numbers.const_data_ptr<double>(), numbers.const_data_ptr<double>() + numbers.numel(), " "));
}

at::Tensor counted_up(const at::Device& device, std::int64_t from, std::int64_t values, at::ScalarType type) {
  return at::arange(from, from + values, at::TensorOptions().dtype(at::kLong).device(device)).to(type);
}

void collectives(Communicator& communicator, const at::Device& device) {
  const int rank = communicator.rank();
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong, at::kInt, at::kByte, at::kBFloat16}) {
    for (const auto& [op, label] :
         {std::pair{ReduceOp::kSum, "sum"}, {ReduceOp::kMin, "min"}, {ReduceOp::kMax, "max"}}) {
      const at::Tensor values = counted_up(device, rank + 1, 2, type);
      communicator.all_reduce(values, op)->wait();
      print(communicator, fmt::format("all_reduce {} {}:", label, at::toString(type)), values);
    }
  }
  const at::Tensor told = counted_up(device, 10 * rank, 3, at::kBFloat16);
  communicator.broadcast(told, 1)->wait();
  print(communicator, "broadcast:", told);

  const auto floats = at::TensorOptions().dtype(at::kFloat).device(device);
  const at::Tensor part = at::empty({2}, floats);
  communicator.reduce_scatter(part, counted_up(device, rank, 4, at::kFloat))->wait();
  print(communicator, "reduce_scatter:", part);

  const at::Tensor gathered = at::empty({3}, floats);
  communicator.all_gather(gathered, counted_up(device, 10 * rank, rank + 1, at::kFloat), {1, 2})->wait();
  print(communicator, "all_gather:", gathered);
  const at::Tensor in_place = at::full({2}, -1, floats);
  in_place[rank] = 7 + rank;
  communicator.all_gather(in_place, in_place.narrow(0, rank, 1), {1, 1})->wait();
  print(communicator, "all_gather in place:", in_place);

  // Rank r sends r + 1 values to each rank: 100 r + 0, 100 r + 1, …
  const at::Tensor received = at::empty({3}, at::TensorOptions().dtype(at::kLong).device(device));
  communicator
      .all_to_all(received, {1, 2}, counted_up(device, 100 * rank, 2 * (rank + 1), at::kLong), {rank + 1, rank + 1})
      ->wait();
  print(communicator, "all_to_all:", received);

  const at::Tensor here = at::full({1}, rank + 1, at::kLong);
  communicator.all_reduce(here, ReduceOp::kSum)->wait();
  print(communicator, "of the CPU:", here);
}

/// What is put on the computing stream before a collective is in what it sends, and what comes after sees the result,
/// though the host waits for neither.
void ordered(Communicator& communicator, const at::Device& device) {
  const at::Tensor slow = at::randn({4096, 4096}, at::TensorOptions().device(device));
  for (int round = 0; round < 20; ++round) {
    at::Tensor values = at::full({1 << 20}, 0.0f, at::TensorOptions().device(device));
    at::Tensor product = slow;
    for (int i = 0; i < 3; ++i) product = at::matmul(product, slow) * 1e-4;
    values.add_(product[0][0] * 0 + 1);  // known only when the products are
    communicator.all_reduce(values, ReduceOp::kSum)->wait();
    const at::Tensor doubled = values * 2;
    if (!doubled.eq(2.0 * communicator.size()).all().item<bool>()) throw etude::Error("read before it was there");
  }
}

void one_dies(Communicator& communicator, const at::Device& device) {
  const at::Tensor values = at::full({1000}, 1.0f, at::TensorOptions().device(device));
  communicator.all_reduce(values, ReduceOp::kSum)->wait();
  values.cpu();
  if (communicator.rank() == 1) raise(SIGKILL);
  for (;;) {
    communicator.all_reduce(values, ReduceOp::kSum)->wait();
    values.cpu();
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  try {
    etude::testing::cuda_module();
    const auto host = make_communicator();
    const etude::device::Seat seat = etude::device::choose_seat(etude::device::Choice::kCuda, host->local_rank(), {});
    const auto communicator = etude::device::connect(*host, seat);
    const std::map<std::string, std::function<void(Communicator&, const at::Device&)>> scenes = {
        {"collectives", collectives}, {"ordered", ordered}, {"one_dies", one_dies}};
    scenes.at(argument_count > 1 ? arguments[1] : "")(*communicator, seat.device);
    return 0;
  } catch (const std::exception& error) {
    fmt::print("rank failed: {}\n", error.what());
    std::fflush(stdout);
    std::_Exit(1);  // without waiting for a rank that is gone
  }
}
