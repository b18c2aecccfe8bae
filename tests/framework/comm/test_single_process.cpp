#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "framework/config/error.h"

namespace {

using namespace etude::comm;

TEST(SingleProcess, EveryCollectiveGivesBackTheOnlyRanksValues) {
  SingleProcess alone;
  const at::Tensor wanted = at::arange(5, at::kFloat);

  at::Tensor values = wanted.clone();
  alone.all_reduce(values, ReduceOp::kSum)->wait();
  EXPECT_TRUE(at::equal(values, wanted));
  alone.broadcast(values, 0)->wait();
  EXPECT_TRUE(at::equal(values, wanted));

  at::Tensor output = at::empty({5}, at::kFloat);
  alone.reduce_scatter(output, wanted)->wait();
  EXPECT_TRUE(at::equal(output, wanted));
  output = at::zeros({5}, at::kFloat);
  alone.all_gather(output, wanted, {5})->wait();
  EXPECT_TRUE(at::equal(output, wanted));
  alone.all_gather(output, output, {5})->wait();
  EXPECT_TRUE(at::equal(output, wanted));
  output = at::zeros({5}, at::kFloat);
  alone.all_to_all(output, {5}, wanted, {5})->wait();
  EXPECT_TRUE(at::equal(output, wanted));

  alone.barrier();
  EXPECT_EQ(broadcast_text(alone, "Nocturne"), "Nocturne");
  EXPECT_EQ(all_gather_text(alone, "Nocturne"), std::vector<std::string>{"Nocturne"});
  EXPECT_EQ(all_gather_text(alone, ""), std::vector<std::string>{""});
}

TEST(SingleProcess, RefusesWhatSeveralRanksWouldRefuse) {
  SingleProcess alone;
  const at::Tensor five = at::zeros({5}, at::kFloat);
  EXPECT_THROW(alone.broadcast(five, 1), etude::Error);
  EXPECT_THROW(alone.all_gather(five, five, {4}), etude::Error);
  EXPECT_THROW(alone.all_gather(five, five, {2, 3}), etude::Error);
  EXPECT_THROW(alone.all_to_all(five, {5}, at::zeros({5}, at::kDouble), {5}), etude::Error);
  EXPECT_THROW(alone.reduce_scatter(five, at::zeros({10}, at::kFloat)), etude::Error);
  EXPECT_THROW(alone.all_reduce(at::Tensor(), ReduceOp::kSum), etude::Error);
}

}  // namespace
