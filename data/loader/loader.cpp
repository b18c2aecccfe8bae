#include "data/loader/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/core.h>

#include "data/loader/grid_maker.h"
#include "framework/config/error.h"

namespace etude::data {

/// The queue between the reading thread and next().
struct Loader::State {
  State(const Vocabulary& vocabulary, ReadTokens read, const Plan& steps, std::int64_t rows_of_grain, GrainRange range)
      : plan(steps), rows(rows_of_grain), grains(range), maker(vocabulary, std::move(read), steps.sequence_length()) {}

  StepData load(std::int64_t step) {
    const std::vector<SequenceRef> batch = plan.batch(step);
    StepData data;
    data.step = step;
    data.first_grain = grains.begin;
    for (const SequenceRef& sequence : batch) data.counted += sequence.length;
    for (std::int64_t grain = 0; grain * rows < plan.global_batch(); ++grain) {
      const auto sequences =
          std::span(batch).subspan(static_cast<std::size_t>(grain * rows), static_cast<std::size_t>(rows));
      data.cells += rows * columns_for(sequences, plan.sequence_length());
      if (grains.begin <= grain && grain < grains.end) data.grains.push_back(maker.make(sequences));
    }
    return data;
  }

  void read_ahead(std::int64_t first_step, std::size_t ahead) {
    try {
      for (std::int64_t step = first_step;; ++step) {
        {
          std::unique_lock lock(mutex);
          has_room.wait(lock, [&] { return stopping || ready.size() < ahead; });
          if (stopping) return;
        }
        StepData data = load(step);
        const std::lock_guard lock(mutex);
        ready.push_back(std::move(data));
        has_data.notify_one();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      has_data.notify_one();
    }
  }

  const Plan& plan;
  const std::int64_t rows;
  const GrainRange grains;
  GridMaker maker;  ///< the reading thread's

  mutable std::mutex mutex;
  std::condition_variable has_room;
  std::condition_variable has_data;
  std::deque<StepData> ready;
  std::exception_ptr failure;
  bool stopping = false;
  std::chrono::duration<double> waited{0};
  std::thread thread;
};

Loader::Loader(const Pack& pack, Split split, const Plan& plan, std::int64_t rows, GrainRange grains,
               std::int64_t first_step, std::int64_t ahead)
    : Loader(
          pack.vocabulary(),
          [&pack, split](std::int64_t piece, std::int64_t begin, std::span<TokenId> out) {
            pack.read(split, piece, begin, out);
          },
          plan, rows, grains, first_step, ahead) {}

Loader::Loader(const Vocabulary& vocabulary, ReadTokens read, const Plan& plan, std::int64_t rows, GrainRange grains,
               std::int64_t first_step, std::int64_t ahead) {
  if (rows < 1 || plan.global_batch() % rows != 0) {
    throw UsageError(
        fmt::format("train.global_batch ({}) must be a multiple of train.micro_batch ({})", plan.global_batch(), rows));
  }
  state_ = std::make_unique<State>(vocabulary, std::move(read), plan, rows, grains);
  state_->thread = std::thread([state = state_.get(), first_step, ahead] {
    state->read_ahead(first_step, static_cast<std::size_t>(std::max<std::int64_t>(1, ahead)));
  });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->has_room.notify_one();
  state_->thread.join();
}

StepData Loader::next() {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(state_->mutex);
  state_->has_data.wait(lock, [&] { return !state_->ready.empty() || state_->failure != nullptr; });
  state_->waited += std::chrono::steady_clock::now() - start;
  if (state_->ready.empty()) std::rethrow_exception(state_->failure);
  StepData data = std::move(state_->ready.front());
  state_->ready.pop_front();
  lock.unlock();
  state_->has_room.notify_one();
  return data;
}

double Loader::waited() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waited.count();
}

}  // namespace etude::data
