#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace etude::data {

/// Calls produce(i) for every i in [0, count) on `threads` threads, and consume(i, result) on this one, in order: what
/// is made of the results does not depend on the number of threads. Producers run at most `ahead` items ahead, so the
/// results waiting are few. Rethrows what either of them throws, once every thread has ended.
template <typename Result>
void in_order(std::int64_t count, int threads, std::int64_t ahead, const std::function<Result(std::int64_t)>& produce,
              const std::function<void(std::int64_t, Result)>& consume) {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::int64_t, Result> ready;
  std::int64_t next = 0, consumed = 0;
  std::exception_ptr failure;

  const auto work = [&] {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return failure || next >= count || next < consumed + ahead; });
      if (failure || next >= count) return;
      const std::int64_t index = next++;
      lock.unlock();
      try {
        Result result = produce(index);
        lock.lock();
        ready.emplace(index, std::move(result));
      } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        failure = std::current_exception();
      }
      changed.notify_all();
    }
  };
  std::vector<std::jthread> workers;
  try {
    for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  } catch (...) {  // no more threads to be had: those that have begun must not wait for ever
    const std::scoped_lock guard(mutex);
    failure = std::current_exception();
    changed.notify_all();
  }

  std::unique_lock lock(mutex);
  while (consumed < count && !failure) {
    changed.wait(lock, [&] { return failure || ready.contains(consumed); });
    if (failure) break;
    Result result = std::move(ready.extract(consumed).mapped());
    lock.unlock();
    try {
      consume(consumed, std::move(result));
      lock.lock();
    } catch (...) {
      lock.lock();
      failure = std::current_exception();
    }
    ++consumed;
    changed.notify_all();
  }
  lock.unlock();
  workers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace etude::data
