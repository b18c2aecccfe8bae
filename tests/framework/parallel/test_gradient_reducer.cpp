#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "framework/parallel/gradient_reducer.h"
#include "framework/parallel/grains.h"
#include "tests/framework/parallel/made_gradients.h"
#include "tests/support/thread_ranks.h"

namespace {

using namespace etude::parallel;
using etude::testing::made_gradient;
using etude::testing::tensor_of;
using etude::testing::ThreadWorld;
using ::testing::HasSubstr;

// Several buckets of 40 values, one parameter larger than that, one of a single value and one of none.
const std::vector<std::int64_t> kSizes = {17, 100, 1, 23, 40, 0, 13, 8, 31};
constexpr std::int64_t kBucketBytes = 160;

using Sums = std::vector<std::vector<float>>;

/// The definition: halves of the leaves rounded up to a power of two, left + right, absent leaves add nothing.
std::vector<float> tree_sum(std::int64_t first, std::int64_t leaves, std::int64_t grains, std::size_t parameter) {
  if (leaves == 1) return made_gradient(first, parameter, kSizes[parameter]);
  const std::int64_t half = leaves / 2;
  std::vector<float> left = tree_sum(first, half, grains, parameter);
  if (first + half >= grains) return left;
  const std::vector<float> right = tree_sum(first + half, half, grains, parameter);
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

Sums oracle(std::int64_t grains) {
  std::int64_t leaves = 1;
  while (leaves < grains) leaves *= 2;
  Sums sums;
  for (std::size_t parameter = 0; parameter < kSizes.size(); ++parameter) {
    sums.push_back(tree_sum(0, leaves, grains, parameter));
  }
  return sums;
}

Sums copied(const std::vector<at::Tensor>& sums) {
  Sums copy;
  for (const at::Tensor& sum : sums) copy.emplace_back(sum.data_ptr<float>(), sum.data_ptr<float>() + sum.numel());
  return copy;
}

/// Adds this rank's gradients from `workers` threads, each taking whole grains in an order drawn from `seed`; within a
/// grain the last parameter comes first, as in backward, but for a few that change places.
void add_all(GradientReducer& reducer, const GrainRange& own, unsigned seed, int workers) {
  std::vector<std::int64_t> order;
  for (std::int64_t grain = own.begin; grain < own.end; ++grain) order.push_back(grain);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) {
      std::mt19937 random(seed + static_cast<unsigned>(order[i]));
      std::vector<std::size_t> parameters(kSizes.size());
      for (std::size_t p = 0; p < parameters.size(); ++p) parameters[p] = parameters.size() - 1 - p;
      std::swap(parameters[random() % parameters.size()], parameters[random() % parameters.size()]);
      for (const std::size_t p : parameters) {
        reducer.add(order[i], p, tensor_of(made_gradient(order[i], p, kSizes[p])));
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

/// The sums of rank after rank, step after step.
std::vector<Sums> reduce(int ranks, std::int64_t grains, Reduction reduction, unsigned seed, int workers, int steps) {
  std::vector<Sums> all(static_cast<std::size_t>(ranks * steps));
  ThreadWorld(ranks).run([&](etude::comm::Communicator& communicator) {
    const int rank = communicator.rank();
    GradientReducer reducer(communicator, kSizes, grains, {reduction, kBucketBytes});
    for (int step = 0; step < steps; ++step) {
      reducer.begin();
      add_all(reducer, grains_of_rank(grains, rank, ranks), seed + static_cast<unsigned>(100 * step + rank), workers);
      all[static_cast<std::size_t>(rank * steps + step)] = copied(reducer.finish());
    }
  });
  return all;
}

TEST(GradientReducer, GivesTheSameBitsOnAnyNumberOfRanks) {
  for (const std::int64_t grains : {1, 2, 3, 5, 7, 8, 12, 13, 16}) {
    const Sums wanted = oracle(grains);
    for (int ranks = 1; ranks <= std::min<std::int64_t>(grains, 9); ++ranks) {
      for (const Sums& sums : reduce(ranks, grains, Reduction::kTree, 1, 1, 1)) {
        ASSERT_EQ(sums, wanted) << ranks << " ranks, " << grains << " grains";
      }
    }
  }
}

TEST(GradientReducer, GivesTheSameBitsHoweverThreadsInterleave) {
  const Sums wanted = oracle(11);
  for (unsigned seed = 0; seed < 20; ++seed) {
    for (const int ranks : {1, 2, 3}) {
      for (const Sums& sums : reduce(ranks, 11, Reduction::kTree, seed, 4, 2)) {
        ASSERT_EQ(sums, wanted) << ranks << " ranks, seed " << seed;
      }
    }
  }
}

TEST(GradientReducer, TheOrderOfAdditionsMatters) {
  // What the two tests above rest on: with these gradients a running sum has other bits than the tree.
  const Sums wanted = oracle(8);
  Sums running(kSizes.size());
  for (std::size_t p = 0; p < kSizes.size(); ++p) {
    running[p].assign(static_cast<std::size_t>(kSizes[p]), 0);
    for (std::int64_t grain = 0; grain < 8; ++grain) {
      const std::vector<float> gradient = made_gradient(grain, p, kSizes[p]);
      for (std::size_t i = 0; i < gradient.size(); ++i) running[p][i] += gradient[i];
    }
  }
  EXPECT_NE(running, wanted);
}

void expect_close_to_exact(const Sums& sums, std::int64_t grains) {
  for (std::size_t p = 0; p < kSizes.size(); ++p) {
    std::vector<double> exact(static_cast<std::size_t>(kSizes[p])), size(exact.size());
    for (std::int64_t grain = 0; grain < grains; ++grain) {
      const std::vector<float> gradient = made_gradient(grain, p, kSizes[p]);
      for (std::size_t i = 0; i < exact.size(); ++i) {
        exact[i] += gradient[i];
        size[i] += std::abs(gradient[i]);
      }
    }
    // Each of at most grains - 1 roundings is at most half a unit in the last place of the sum of magnitudes.
    for (std::size_t i = 0; i < exact.size(); ++i) {
      ASSERT_NEAR(sums[p][i], exact[i], static_cast<double>(grains) * std::ldexp(size[i], -24));
    }
  }
}

TEST(GradientReducer, IsCloseToTheExactSumEitherWay) {
  for (const Reduction reduction : {Reduction::kTree, Reduction::kFast}) {
    for (const int ranks : {1, 2, 4}) {
      for (const Sums& sums : reduce(ranks, 12, reduction, 3, 2, 2)) expect_close_to_exact(sums, 12);
    }
  }
}

TEST(GradientReducer, AddsInFloat32WhateverTheTypeOfGradients) {
  etude::comm::SingleProcess alone;
  for (const Reduction reduction : {Reduction::kTree, Reduction::kFast}) {
    for (const at::ScalarType type : {at::kBFloat16, at::kHalf, at::kDouble, at::kFloat}) {
      GradientReducer reducer(alone, {2}, 2, {reduction, kBucketBytes});
      reducer.begin();
      // 256 + 1 is 256 in bfloat16
      reducer.add(0, 0, tensor_of({256, 1}, type));
      reducer.add(1, 0, tensor_of({1, -3}, type).reshape({2, 1}));
      EXPECT_EQ(copied(reducer.finish()), (Sums{{257, -2}}));
    }
  }
}

TEST(GradientReducer, RefusesMoreRanksThanGrains) {
  try {
    reduce(3, 2, Reduction::kTree, 1, 1, 1);
    FAIL();
  } catch (const etude::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("3 ranks for 2 grains"));
  }
}

std::string refusal_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const etude::Error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(GradientReducer, SaysWhichGradientIsMissingOrOutOfPlace) {
  etude::comm::SingleProcess alone;
  GradientReducer reducer(alone, {2, 3}, 2, {});
  EXPECT_THAT(refusal_of([&] { reducer.add(0, 0, tensor_of({1, 2})); }), HasSubstr("not within a step"));
  reducer.begin();
  EXPECT_THAT(refusal_of([&] { reducer.begin(); }), HasSubstr("within a step"));
  reducer.add(0, 0, tensor_of({1, 2}));
  EXPECT_THAT(refusal_of([&] { reducer.add(0, 0, tensor_of({1, 2})); }), HasSubstr("twice"));
  EXPECT_THAT(refusal_of([&] { reducer.add(2, 0, tensor_of({1, 2})); }), HasSubstr("parameter 0 of grain 2"));
  EXPECT_THAT(refusal_of([&] { reducer.add(1, 1, tensor_of({1, 2})); }), HasSubstr("has 2 values"));
  EXPECT_THAT(refusal_of([&] { reducer.finish(); }), HasSubstr("grain 0 gave no gradient of parameter 1"));
}

}  // namespace
