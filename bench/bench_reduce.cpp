// What it costs to sum gradients over ranks. One JSON line per figure, from rank 0; the median over repetitions.
//
//   mpirun -n 2 --bind-to core bench_reduce plain       blocking MPI_Allreduce on the main thread: the yardstick
//   mpirun -n 2 --bind-to core bench_reduce all_reduce  Communicator::all_reduce, posted and waited for
//   mpirun -n 2 --bind-to core bench_reduce fast        GradientReducer with one grain a rank, copies included
//   mpirun -n 2 --bind-to core bench_reduce tree        likewise, in the order of the tree
//   mpirun -n 2 --bind-to core bench_reduce waiting     what the communication thread takes from a computing one on
//                                                       its core, with nothing in flight and with a rank to wait for
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <mpi.h>
#include <time.h>

#include "framework/comm/mpi.h"
#include "framework/parallel/gradient_reducer.h"

namespace {

using namespace etude;

constexpr std::int64_t kValues[] = {1, 65536, 1048576, 5001216};
constexpr std::int64_t kParameter = 65536;  // values of one parameter of the made-up model

double microseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

void report(const std::string& what, std::int64_t values, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  fmt::print(
      "{{\"benchmark\": \"reduce\", \"way\": \"{}\", \"values\": {}, \"repetitions\": {}, "
      "\"microseconds\": {:.1f}, \"best\": {:.1f}}}\n",
      what, values, times.size(), times[times.size() / 2], times.front());
}

/// Times `once`, with all ranks leaving `meet` together before each repetition.
void measure(const std::string& what, std::int64_t values, bool reports, const std::function<void()>& meet,
             const std::function<void()>& once) {
  const int repetitions = values < 100000 ? 300 : 40;
  std::vector<double> times;
  for (int i = -3; i < repetitions; ++i) {
    meet();
    const double time = microseconds(once);
    if (i >= 0) times.push_back(time);
  }
  if (reports) report(what, values, times);
}

int plain(int* argument_count, char*** arguments) {
  MPI_Init(argument_count, arguments);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (const std::int64_t values : kValues) {
    std::vector<float> data(static_cast<std::size_t>(values));
    measure(
        "plain", values, rank == 0, [] { MPI_Barrier(MPI_COMM_WORLD); },
        [&] {
          MPI_Allreduce(MPI_IN_PLACE, data.data(), static_cast<int>(values), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        });
  }
  return MPI_Finalize();
}

void all_reduce(comm::Communicator& communicator, std::int64_t values) {
  const at::Tensor data = at::zeros({values}, at::kFloat);
  measure(
      "all_reduce", values, communicator.rank() == 0, [&] { communicator.barrier(); },
      [&] { communicator.all_reduce(data, comm::ReduceOp::kSum)->wait(); });
}

void reduce_gradients(comm::Communicator& communicator, std::int64_t values, parallel::Reduction reduction) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t left = values; left > 0; left -= kParameter) sizes.push_back(std::min(left, kParameter));
  const at::Tensor gradient = at::zeros({kParameter}, at::kFloat);
  parallel::GradientReducer reducer(communicator, sizes, communicator.size(), {reduction});
  measure(
      reduction == parallel::Reduction::kTree ? "tree" : "fast", values, communicator.rank() == 0,
      [&] { communicator.barrier(); },
      [&] {
        reducer.begin();
        for (std::size_t p = sizes.size(); p-- > 0;) {
          reducer.add(communicator.rank(), p, gradient.narrow(0, 0, sizes[p]));
        }
        reducer.finish();
      });
}

double cpu_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Processor time that this process's other threads take from a thread that computes for half a second, as a part of
/// it.
double share_of_others() {
  const auto others = [] { return cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_seconds(CLOCK_THREAD_CPUTIME_ID); };
  const double before = others(), start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  double computed = 0;
  while (computed < 0.5) computed = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
  return (others() - before) / computed;
}

void waiting(comm::Communicator& communicator) {
  const at::Tensor data = at::zeros({1}, at::kFloat);
  comm::WorkPtr work;
  if (communicator.rank() == 0) {
    const double idle = share_of_others();
    work = communicator.all_reduce(data, comm::ReduceOp::kSum);
    const double in_flight = share_of_others();
    fmt::print(
        "{{\"benchmark\": \"reduce\", \"way\": \"waiting\", \"share_of_core_idle\": {:.4f}, "
        "\"share_of_core_in_flight\": {:.4f}}}\n",
        idle, in_flight);
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(5));
    work = communicator.all_reduce(data, comm::ReduceOp::kSum);
  }
  work->wait();
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::string way = argument_count == 2 ? arguments[1] : "";
  if (way == "plain") return plain(&argument_count, &arguments);
  comm::Mpi communicator;
  if (way == "waiting") {
    waiting(communicator);
    return 0;
  }
  for (const std::int64_t values : kValues) {
    if (way == "all_reduce") {
      all_reduce(communicator, values);
    } else if (way == "fast" || way == "tree") {
      reduce_gradients(communicator, values, way == "tree" ? parallel::Reduction::kTree : parallel::Reduction::kFast);
    } else {
      fmt::print(stderr, "usage: mpirun -n 2 bench_reduce plain|all_reduce|fast|tree|waiting\n");
      return 2;
    }
  }
  return 0;
}
