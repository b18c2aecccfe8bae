// One rank of the tests in test_reducer_under_mpi.cpp: reduces made-up gradients of `grains` grains for a few steps
// and prints a hash of the bits it got, or, for "values", the sums themselves.
#include <cstdlib>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "framework/comm/communicator.h"
#include "framework/parallel/gradient_reducer.h"
#include "framework/parallel/grains.h"
#include "tests/framework/parallel/made_gradients.h"

namespace {

using namespace etude::parallel;
using etude::testing::made_gradient;
using etude::testing::tensor_of;

void add_grains(GradientReducer& reducer, std::int64_t first, std::int64_t end,
                const std::vector<std::int64_t>& sizes) {
  for (std::int64_t grain = first; grain < end; ++grain) {
    for (std::size_t p = sizes.size(); p-- > 0;) reducer.add(grain, p, tensor_of(made_gradient(grain, p, sizes[p])));
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 4) return 2;
  const std::int64_t grains = std::atoi(arguments[1]);
  const std::string reduction = arguments[2], output = arguments[3];
  const std::vector<std::int64_t> sizes =
      output == "values" ? std::vector<std::int64_t>{5, 3} : std::vector<std::int64_t>{50000, 7, 1234, 300000, 1};

  const auto communicator = etude::comm::make_communicator();
  const GrainRange own = grains_of_rank(grains, communicator->rank(), communicator->size());
  GradientReducer reducer(*communicator, sizes, grains,
                          {reduction == "tree" ? Reduction::kTree : Reduction::kFast, 64 << 10});
  std::string line;
  for (int step = 0; step < 3; ++step) {
    reducer.begin();
    const std::int64_t middle = own.begin + own.size() / 2;
    std::thread half([&] { add_grains(reducer, own.begin, middle, sizes); });
    add_grains(reducer, middle, own.end, sizes);
    half.join();
    const std::vector<at::Tensor>& sums = reducer.finish();
    if (output == "hash") line += fmt::format("{:016x}\n", etude::testing::hash_of(sums));
    if (output == "values" && step == 2 && communicator->rank() == 0) {
      for (const at::Tensor& sum : sums) {
        for (std::int64_t i = 0; i < sum.numel(); ++i) line += fmt::format("{:.9g}\n", sum.data_ptr<float>()[i]);
      }
    }
  }
  return ::write(STDOUT_FILENO, line.data(), line.size()) < 0 ? 1 : 0;
}
