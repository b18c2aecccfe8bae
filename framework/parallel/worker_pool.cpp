#include "framework/parallel/worker_pool.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <sched.h>

namespace etude::parallel {

struct WorkerPool::State {
  std::mutex mutex;
  std::condition_variable work_ready;
  std::condition_variable work_done;
  const std::function<void(int, std::int64_t)>* task = nullptr;
  std::int64_t items = 0;
  std::int64_t next = 0;
  std::int64_t running = 0;
  std::exception_ptr failure;
  bool closing = false;
  std::vector<std::thread> threads;

  /// Takes items until none is left. Called with the lock held; returns with it held.
  void drain(std::unique_lock<std::mutex>& lock, int worker) {
    while (task != nullptr && next < items) {
      const std::int64_t item = next++;
      ++running;
      const auto* current = task;
      lock.unlock();
      std::exception_ptr thrown;
      try {
        (*current)(worker, item);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      --running;
      if (thrown) {
        if (!failure) failure = thrown;
        next = items;  // what has not started need not
      }
      if (next >= items && running == 0) work_done.notify_all();
    }
  }

  void serve(int worker) {
    at::set_num_threads(1);
    std::unique_lock lock(mutex);
    while (!closing) {
      drain(lock, worker);
      work_ready.wait(lock, [this] { return closing || (task != nullptr && next < items); });
    }
  }
};

WorkerPool::WorkerPool(int threads) : state_(std::make_unique<State>()) {
  at::set_num_threads(1);
  // The calling thread is worker 0.
  for (int worker = 1; worker < std::max(1, threads); ++worker) {
    state_->threads.emplace_back([state = state_.get(), worker] { state->serve(worker); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->work_ready.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

int WorkerPool::threads() const { return static_cast<int>(state_->threads.size()) + 1; }

void WorkerPool::run(std::int64_t items, const std::function<void(int, std::int64_t)>& task) {
  std::unique_lock lock(state_->mutex);
  state_->task = &task;
  state_->items = items;
  state_->next = 0;
  state_->failure = nullptr;
  if (items > 1) state_->work_ready.notify_all();
  state_->drain(lock, 0);
  state_->work_done.wait(lock, [this] { return state_->next >= state_->items && state_->running == 0; });
  state_->task = nullptr;
  if (state_->failure) std::rethrow_exception(std::exchange(state_->failure, nullptr));
}

void take_share_of_cores(int local_rank, int local_size) {
  cpu_set_t allowed, mine;
  CPU_ZERO(&allowed);
  CPU_ZERO(&mine);
  if (local_size <= 1 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const int share = CPU_COUNT(&allowed) / local_size;
  if (share == 0) return;  // more ranks than cores: they have to take turns
  for (int core = 0, seen = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed)) continue;
    if (seen / share == local_rank) CPU_SET(core, &mine);
    ++seen;
  }
  sched_setaffinity(0, sizeof mine, &mine);
}

int cores_per_rank(int local_size) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const int all = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int mine = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : all;
  // A launcher that binds ranks has divided the cores already; one that does not leaves every rank all of them.
  const bool shared = local_size > 1 && mine >= all;
  return std::max(1, shared ? mine / local_size : mine);
}

}  // namespace etude::parallel
