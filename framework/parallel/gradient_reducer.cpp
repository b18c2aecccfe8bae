#include "framework/parallel/gradient_reducer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include <ATen/ops/empty.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/parallel/bucket_layout.h"
#include "framework/parallel/fast_bucket.h"
#include "framework/parallel/tree_bucket.h"

namespace etude::parallel {
namespace {

/// One thing to ask of the communicator. All ranks ask for the same in the same order, or they would not meet.
struct Stage {
  enum Kind { kExchange, kGather } kind;
  std::size_t bucket;
};

/// The gather of a bucket comes after the exchange of the next one: by then the own has most likely arrived, so that
/// neither waits, and no more than this many exchanges are under way at once.
constexpr std::size_t kExchangesUnderWay = 2;

std::vector<Stage> schedule_of(std::size_t buckets, Reduction reduction) {
  std::vector<Stage> schedule;
  const std::size_t behind = kExchangesUnderWay - 1;
  for (std::size_t i = 0; i < buckets + behind; ++i) {
    if (i < buckets) schedule.push_back({Stage::kExchange, i});
    if (i >= behind && reduction == Reduction::kTree) schedule.push_back({Stage::kGather, i - behind});
  }
  return schedule;
}

void check_divisible(std::int64_t grains, int size) {
  if (grains >= size) return;
  throw UsageError(
      fmt::format("{} ranks for {} grains: some would have nothing to do. Use at most {} ranks, or a "
                  "larger train.global_batch or a smaller train.micro_batch",
                  size, grains, grains));
}

}  // namespace

struct GradientReducer::State {
  State(comm::Communicator& communicator, std::vector<std::int64_t> sizes, std::int64_t grains,
        const ReducerOptions& options)
      : layout(lay_into_buckets(sizes, options.bucket_bytes)),
        plan(grains, communicator.rank(), communicator.size()),
        rooms{ExchangeRoom(plan, layout.largest_bucket(), options.device),
              ExchangeRoom(plan, layout.largest_bucket(), options.device)},
        side_stream(options.device.is_cpu() ? std::nullopt : communicator.stream()),
        works(layout.buckets.size()),
        schedule(schedule_of(layout.buckets.size(), options.reduction)),
        given(sizes.size() * static_cast<std::size_t>(plan.own.size())) {
    for (std::size_t i = 0; i < layout.buckets.size(); ++i) {
      const auto [values, parameters] = layout.buckets[i];
      at::Tensor sum = at::empty({values}, at::TensorOptions().dtype(at::kFloat).device(options.device));
      if (options.reduction == Reduction::kTree) {
        buckets.push_back(std::make_unique<TreeBucket>(communicator, sum, parameters, plan, rooms[i % rooms.size()]));
      } else {
        const std::size_t gradients = parameters * static_cast<std::size_t>(plan.own.size());
        buckets.push_back(std::make_unique<FastBucket>(communicator, sum, gradients));
      }
    }
    for (const auto& [bucket, offset, values] : layout.slots) {
      sums.push_back(buckets[bucket]->sum().narrow(0, offset, values));
    }
  }

  std::uint8_t& has_given(std::int64_t grain, std::size_t parameter) {
    return given[static_cast<std::size_t>(grain - plan.own.begin) * layout.slots.size() + parameter];
  }

  /// Does what can be done of the schedule; with `block`, all of it that ready buckets allow.
  void advance(bool block) {
    for (; next < schedule.size(); ++next) {
      const auto [kind, bucket] = schedule[next];
      const comm::Label label(fmt::format("bucket {}", bucket));
      if (kind == Stage::kExchange) {
        if (!buckets[bucket]->ready()) return;
        works[bucket] = beside([&] { return buckets[bucket]->start_exchange(); });
      } else {
        if (!side_stream && !arrived(bucket, block)) return;
        works[bucket] = beside([&] { return buckets[bucket]->start_gather(); });
      }
    }
  }

  /// Starts a stage, on a GPU on the communicator's stream after what the computing one has so far: there a stage
  /// follows the one that it builds on, though nobody waits in between.
  template <typename Start>
  comm::WorkPtr beside(Start start) {
    if (!side_stream) return start();
    c10::Event computed(side_stream->device_type());
    computed.record(c10::impl::VirtualGuardImpl(side_stream->device_type()).getStream(side_stream->device()));
    computed.block(*side_stream);
    const c10::StreamGuard guard(*side_stream);
    return start();
  }

  bool arrived(std::size_t bucket, bool block) {
    if (!works[bucket]) return true;
    if (block) {
      const auto start = std::chrono::steady_clock::now();
      works[bucket]->wait();
      waited += std::chrono::steady_clock::now() - start;
      return true;
    }
    return works[bucket]->done();
  }

  void check_all_given() {
    for (std::int64_t grain = plan.own.begin; grain < plan.own.end; ++grain) {
      for (std::size_t parameter = 0; parameter < layout.slots.size(); ++parameter) {
        if (has_given(grain, parameter)) continue;
        throw Error(fmt::format("grain {} gave no gradient of parameter {} (of {}): one that is not used gives zeros",
                                grain, parameter, layout.slots.size()));
      }
    }
  }

  const BucketLayout layout;
  const TreePlan plan;
  std::array<ExchangeRoom, kExchangesUnderWay> rooms;  // bucket i uses that of i modulo their number
  const std::optional<c10::Stream> side_stream;        // the communicator's, on a GPU
  std::vector<std::unique_ptr<Bucket>> buckets;
  std::vector<at::Tensor> sums;
  bool within_step = false;

  std::mutex mutex;  // guards what the schedule is at
  std::vector<comm::WorkPtr> works;
  const std::vector<Stage> schedule;
  std::size_t next = 0;
  std::chrono::duration<double> waited{0};

  std::vector<std::uint8_t> given;  // by grain of this rank and parameter; each element has one writer
};

GradientReducer::GradientReducer(comm::Communicator& communicator, std::vector<std::int64_t> sizes, std::int64_t grains,
                                 ReducerOptions options) {
  check_divisible(grains, communicator.size());
  state_ = std::make_unique<State>(communicator, std::move(sizes), grains, options);
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::begin() {
  if (state_->within_step) throw Error("GradientReducer: begin() within a step; finish() ends it");
  state_->within_step = true;
  state_->next = 0;
  std::fill(state_->given.begin(), state_->given.end(), std::uint8_t{0});
  for (const auto& bucket : state_->buckets) bucket->begin();
}

void GradientReducer::add(std::int64_t grain, std::size_t parameter, const at::Tensor& gradient) {
  const GrainRange& own = state_->plan.own;
  if (!state_->within_step || grain < own.begin || grain >= own.end || parameter >= state_->sums.size()) {
    throw Error(fmt::format(
        "GradientReducer: no place for parameter {} of grain {}: this rank has grains {} to {}, "
        "{} parameters, and is {} a step",
        parameter, grain, own.begin, own.end - 1, state_->sums.size(), state_->within_step ? "within" : "not within"));
  }
  const auto& [bucket, offset, values] = state_->layout.slots[parameter];
  if (gradient.numel() != values || !gradient.is_contiguous()) {
    throw Error(
        fmt::format("GradientReducer: the gradient of parameter {} has {} values, {}contiguous; it needs {}, "
                    "contiguous",
                    parameter, gradient.numel(), gradient.is_contiguous() ? "" : "not ", values));
  }
  std::uint8_t& given = state_->has_given(grain, parameter);
  if (given) throw Error(fmt::format("GradientReducer: grain {} gave parameter {} twice", grain, parameter));
  given = 1;

  state_->buckets[bucket]->add(grain, offset, gradient);
  // Whoever comes by keeps things moving; finish() does what nobody came by for.
  if (std::unique_lock lock(state_->mutex, std::try_to_lock); lock) state_->advance(false);
}

const std::vector<at::Tensor>& GradientReducer::finish() {
  state_->check_all_given();
  const std::lock_guard lock(state_->mutex);
  state_->advance(true);
  for (std::size_t bucket = 0; bucket < state_->buckets.size(); ++bucket) state_->arrived(bucket, true);
  state_->within_step = false;
  return state_->sums;
}

double GradientReducer::seconds_waited() const { return state_->waited.count(); }

}  // namespace etude::parallel
