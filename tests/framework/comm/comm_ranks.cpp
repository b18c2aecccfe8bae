// One rank of the tests in test_mpi.cpp: does what its first argument names and prints what it saw. Rank r's inputs
// are chosen so that the expected results can be worked by hand.
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <thread>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "framework/comm/communicator.h"
#include "framework/comm/mpi.h"
#include "framework/config/error.h"

namespace {

using namespace etude::comm;

template <typename T>
std::vector<T> values_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<T>(), tensor.data_ptr<T>() + tensor.numel()};
}

void print(const Communicator& communicator, const std::string& what, const std::string& saw) {
  // One write per line, so that the lines of several ranks do not mix.
  const std::string line = fmt::format("rank {} {} {}\n", communicator.rank(), what, saw);
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::abort();
}

template <typename T>
void print_values(const Communicator& communicator, const std::string& what, const at::Tensor& tensor) {
  print(communicator, what, fmt::format("{}", fmt::join(values_of<T>(tensor), " ")));
}

at::Tensor counted_up(std::int64_t from, std::int64_t values, at::ScalarType type) {
  return at::arange(from, from + values, at::TensorOptions().dtype(type));
}

template <typename T>
void each_reduction(Communicator& communicator, const std::string& name, at::ScalarType type) {
  for (const auto& [op, label] : {std::pair{ReduceOp::kSum, "sum"}, {ReduceOp::kMin, "min"}, {ReduceOp::kMax, "max"}}) {
    at::Tensor values = counted_up(communicator.rank() + 1, 2, type);  // r + 1, r + 2
    communicator.all_reduce(values, op)->wait();
    print_values<T>(communicator, fmt::format("all_reduce {} {}:", label, name), values.to(type));
  }
}

void collectives(Communicator& communicator) {
  const int rank = communicator.rank(), size = communicator.size();
  print(communicator,
        "place:", fmt::format("{}/{} {}/{}", rank, size, communicator.local_rank(), communicator.local_size()));
  each_reduction<float>(communicator, "float32", at::kFloat);
  each_reduction<double>(communicator, "float64", at::kDouble);
  each_reduction<std::int64_t>(communicator, "int64", at::kLong);
  each_reduction<int>(communicator, "int32", at::kInt);
  each_reduction<std::uint8_t>(communicator, "uint8", at::kByte);

  at::Tensor told = counted_up(10 * rank, 3, at::kBFloat16);
  communicator.broadcast(told, size - 1)->wait();
  print_values<float>(communicator, "broadcast:", told.to(at::kFloat));

  at::Tensor part = at::empty({2}, at::kFloat);
  communicator.reduce_scatter(part, counted_up(rank, 2 * size, at::kFloat))->wait();
  print_values<float>(communicator, "reduce_scatter:", part);

  std::vector<std::int64_t> counts(static_cast<std::size_t>(size));  // rank r gives r values, rank 0 none
  std::iota(counts.begin(), counts.end(), 0);
  const std::int64_t sum = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  at::Tensor gathered = at::empty({sum}, at::kBFloat16);
  communicator.all_gather(gathered, counted_up(10 * rank, rank, at::kBFloat16), counts)->wait();
  print_values<float>(communicator, "all_gather:", gathered.to(at::kFloat));

  at::Tensor in_place = at::full({size}, -1, at::kLong);
  in_place.data_ptr<std::int64_t>()[rank] = 7 + rank;
  communicator
      .all_gather(in_place, in_place.narrow(0, rank, 1), std::vector<std::int64_t>(static_cast<std::size_t>(size), 1))
      ->wait();
  print_values<std::int64_t>(communicator, "all_gather in place:", in_place);

  // Rank r sends r + 1 values to each rank: 100 r + 0, 100 r + 1, …
  const auto ranks = static_cast<std::size_t>(size);
  std::vector<std::int64_t> receive(ranks);
  std::iota(receive.begin(), receive.end(), 1);
  at::Tensor received = at::empty({std::accumulate(receive.begin(), receive.end(), std::int64_t{0})}, at::kLong);
  communicator
      .all_to_all(received, receive, counted_up(100 * rank, (rank + 1) * size, at::kLong),
                  std::vector<std::int64_t>(ranks, rank + 1))
      ->wait();
  print_values<std::int64_t>(communicator, "all_to_all:", received);

  communicator.barrier();
  print(communicator, "broadcast_text:", broadcast_text(communicator, rank == 0 ? "Chopin" : "nobody"));
  print(communicator, "all_gather_text:",
        fmt::format("{}",
                    fmt::join(all_gather_text(communicator, std::string(static_cast<std::size_t>(rank), 'x')), ",")));
  at::Tensor nothing = at::empty({0}, at::kFloat);
  communicator.all_reduce(nothing, ReduceOp::kSum)->wait();
}

/// 200 collectives of several kinds and sizes are posted at once and waited for from the last to the first.
void many_in_flight(Communicator& communicator) {
  const int size = communicator.size();
  std::vector<at::Tensor> sums, parts;
  std::vector<WorkPtr> works;
  for (int i = 0; i < 100; ++i) {
    sums.push_back(at::full({1 + 137 * i}, communicator.rank() + i, at::kFloat));
    works.push_back(communicator.all_reduce(sums.back(), ReduceOp::kSum));
    parts.push_back(at::empty({size}, at::kLong));
    works.push_back(communicator.all_to_all(parts.back(), std::vector<std::int64_t>(static_cast<std::size_t>(size), 1),
                                            counted_up(1000 * i + 10 * communicator.rank(), size, at::kLong),
                                            std::vector<std::int64_t>(static_cast<std::size_t>(size), 1)));
    if (i % 10 == communicator.rank()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  while (!works.empty()) {
    works.back()->wait();
    if (!works.back()->done()) throw etude::Error("waited for, but not done");
    works.pop_back();
  }
  const int ranks_sum = size * (size - 1) / 2;
  for (int i = 0; i < 100; ++i) {
    if (!at::equal(sums[static_cast<std::size_t>(i)], at::full({1 + 137 * i}, ranks_sum + size * i, at::kFloat))) {
      throw etude::Error(fmt::format("all_reduce {} has the wrong sum", i));
    }
    for (int from = 0; from < size; ++from) {
      const auto got = parts[static_cast<std::size_t>(i)].data_ptr<std::int64_t>()[from];
      if (got != 1000 * i + 10 * from + communicator.rank())
        throw etude::Error(fmt::format("all_to_all {}: {}", i, got));
    }
  }
  print(communicator, "all right", "");
}

/// Several threads of one rank wait for works of their own at once; another lets go of its tensors before the end.
void threads(Communicator& communicator) {
  std::vector<at::Tensor> values;
  std::vector<WorkPtr> works;
  for (int i = 0; i < 8; ++i) {
    values.push_back(at::full({10000}, i, at::kFloat));
    works.push_back(communicator.all_reduce(values.back(), ReduceOp::kSum));
  }
  communicator.all_reduce(at::full({100000}, 1, at::kFloat), ReduceOp::kSum);
  std::vector<std::thread> waiting;
  for (auto work = works.rbegin(); work != works.rend(); ++work)
    waiting.emplace_back([&work = *work] { work->wait(); });
  for (std::thread& thread : waiting) thread.join();
  for (int i = 0; i < 8; ++i) {
    if (!at::equal(values[static_cast<std::size_t>(i)], at::full({10000}, i * communicator.size(), at::kFloat))) {
      throw etude::Error("wrong sum");
    }
  }
  print(communicator, "all right", "");
}

/// Messages of 23 values through pieces of 4 at most must give what whole messages give.
void pieces() {
  Mpi communicator(4);
  const int rank = communicator.rank(), size = communicator.size();
  const auto ranks = static_cast<std::size_t>(size);
  const auto expect = [](const char* what, const at::Tensor& got, const at::Tensor& wanted) {
    if (!at::equal(got, wanted)) throw etude::Error(fmt::format("{} in pieces went wrong", what));
  };
  at::Tensor values = counted_up(rank, 23, at::kLong);
  communicator.all_reduce(values, ReduceOp::kSum)->wait();
  expect("all_reduce", values, counted_up(0, 23, at::kLong).mul(size).add(size * (size - 1) / 2));

  values = counted_up(rank, 23, at::kInt);
  communicator.broadcast(values, 1)->wait();
  expect("broadcast", values, counted_up(1, 23, at::kInt));

  at::Tensor part = at::empty({23}, at::kDouble);
  communicator.reduce_scatter(part, counted_up(0, 23 * size, at::kDouble))->wait();
  expect("reduce_scatter", part, counted_up(23 * rank, 23, at::kDouble).mul(size));

  at::Tensor all = at::empty({23 * size}, at::kLong);
  communicator.all_gather(all, counted_up(23 * rank, 23, at::kLong), std::vector<std::int64_t>(ranks, 23))->wait();
  expect("all_gather", all, counted_up(0, 23 * size, at::kLong));

  at::Tensor exchanged = at::empty({23 * size}, at::kLong);
  communicator
      .all_to_all(exchanged, std::vector<std::int64_t>(ranks, 23), counted_up(1000 * rank, 23 * size, at::kLong),
                  std::vector<std::int64_t>(ranks, 23))
      ->wait();
  for (int from = 0; from < size; ++from) {
    expect("all_to_all", exchanged.narrow(0, 23 * from, 23), counted_up(1000 * from + 23 * rank, 23, at::kLong));
  }
  print(communicator, "all right", "");
}

void refusals(Communicator& communicator) {
  const auto refused = [&](const std::function<void()>& call) {
    try {
      call();
      print(communicator, "took what it must refuse", "");
    } catch (const etude::Error& error) {
      print(communicator, "refused:", error.what());
    }
  };
  refused([&] { communicator.all_reduce(at::zeros({3}, at::kBFloat16), ReduceOp::kSum); });
  refused([&] { communicator.all_reduce(at::zeros({3, 3}, at::kFloat).t().narrow(0, 0, 2), ReduceOp::kSum); });
  refused([&] { communicator.broadcast(at::zeros({3}, at::kFloat), communicator.size()); });
  refused([&] { communicator.reduce_scatter(at::zeros({3}, at::kFloat), at::zeros({4}, at::kFloat)); });
  refused([&] { Mpi another; });
  communicator.barrier();  // and none of them has harmed the others
}

/// Ranks disagree about the size of a message: MPI itself reports it to the receiver.
void truncated(Communicator& communicator) {
  const bool sends = communicator.rank() == 0;
  const std::int64_t sent = sends ? 8 : 0, received = sends ? 0 : 4;
  const WorkPtr work = communicator.all_to_all(
      at::zeros({received}, at::kFloat), sends ? std::vector<std::int64_t>{0, 0} : std::vector<std::int64_t>{4, 0},
      at::zeros({sent}, at::kFloat), sends ? std::vector<std::int64_t>{0, 8} : std::vector<std::int64_t>{0, 0});
  try {
    work->wait();
  } catch (const etude::Error& error) {
    print(communicator, "failed:", error.what());
  }
}

/// One rank meets an error while the others wait for it: abort() ends them all.
void one_aborts(Communicator& communicator) {
  if (communicator.rank() == 1) {
    print(communicator, "gives up", "");
    communicator.abort(7);
  }
  at::Tensor values = at::zeros({1000}, at::kFloat);
  communicator.all_reduce(values, ReduceOp::kSum)->wait();
}

/// The same with an exception that unwinds the communicator on one rank.
int one_unwinds() {
  try {
    const auto communicator = make_communicator();
    if (communicator->rank() == 1) throw etude::Error("no such shard");
    at::Tensor values = at::zeros({1000}, at::kFloat);
    communicator->all_reduce(values, ReduceOp::kSum)->wait();
  } catch (const etude::Error& error) {
    fmt::print("caught {}\n", error.what());
    std::fflush(stdout);
    return 3;
  }
  return 0;
}

/// One rank computes for ever while the others wait for it; the deadline ends them all.
void one_is_late(const std::string& folder) {
  const auto communicator = make_communicator();
  const auto tell = [&](const std::string& verdict, const std::filesystem::path&) {
    print(*communicator, "found", verdict);
  };
  communicator->watch({.seconds = 1, .folder = folder, .exit_code = 75, .tell = tell});
  communicator->describe(4, "computing");
  communicator->barrier();
  if (communicator->rank() == 1) std::this_thread::sleep_for(std::chrono::hours(1));
  const Label label("bucket 7");
  communicator->all_reduce(at::zeros({1000}, at::kFloat), ReduceOp::kSum)->wait();
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::string name = argument_count > 1 ? arguments[1] : "";
  if (name == "one_unwinds") return one_unwinds();
  try {
    if (name == "one_is_late") one_is_late(arguments[2]);
    if (name == "pieces") {
      pieces();
      return 0;
    }
    const std::map<std::string, void (*)(Communicator&)> scenes = {
        {"collectives", collectives}, {"many_in_flight", many_in_flight}, {"threads", threads},
        {"refusals", refusals},       {"truncated", truncated},           {"one_aborts", one_aborts}};
    const auto communicator = make_communicator();
    if (name == "name") {
      print(*communicator, "is", communicator->name());
      return 0;
    }
    scenes.at(name)(*communicator);
    return 0;
  } catch (const std::exception& error) {
    fmt::print("rank failed: {}\n", error.what());
    return 1;
  }
}
