#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "framework/comm/communicator.h"

namespace etude::testing {

/// Ranks that are threads of this process: for trying out what stands above the communicator with any number of ranks,
/// under a sanitizer too. Collectives are matched by the order in which each rank posts them, and carried out by the
/// last rank that comes; ranks that post different ones at the same place are an error, where MPI would hang.
/// Has what training uses: all_reduce in float32 and int64 (sums by rank), broadcast, all_gather, all_to_all, barrier.
class ThreadWorld {
 public:
  explicit ThreadWorld(int size) : size_(size) {}

  /// Runs `body` on every rank, and rethrows the first rank's exception there was.
  void run(const std::function<void(comm::Communicator&)>& body) {
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(size_));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size_; ++rank) {
      threads.emplace_back([&, rank] {
        try {
          Rank communicator(*this, rank);
          body(communicator);
        } catch (...) {
          failures[static_cast<std::size_t>(rank)] = std::current_exception();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
  }

 private:
  using Counts = std::vector<std::int64_t>;

  struct Posted {
    at::Tensor output, input;
    Counts receive, send;
    comm::ReduceOp op = comm::ReduceOp::kSum;
    int root = 0;
  };

  struct Meeting : comm::Work {
    explicit Meeting(int size) : posted(static_cast<std::size_t>(size)) {}
    void wait() override {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return is_done; });
    }
    bool done() override {
      const std::lock_guard lock(mutex);
      return is_done;
    }
    void finish() {
      const std::lock_guard lock(mutex);
      is_done = true;
      changed.notify_all();
    }
    std::string kind;
    std::vector<Posted> posted;
    std::size_t present = 0;
    std::mutex mutex;
    std::condition_variable changed;
    bool is_done = false;
  };

  class Rank : public comm::Communicator {
   public:
    Rank(ThreadWorld& world, int rank) : world_(world), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return world_.size_; }
    int local_rank() const override { return rank_; }
    int local_size() const override { return world_.size_; }
    std::string name() const override { return "threads"; }

    comm::WorkPtr all_reduce(at::Tensor values, comm::ReduceOp op) override {
      return world_.meet(rank_, next_++, "all_reduce", {values, values, {}, {}, op});
    }
    comm::WorkPtr broadcast(at::Tensor values, int root) override {
      return world_.meet(rank_, next_++, "broadcast", {values, values, {}, {}, comm::ReduceOp::kSum, root});
    }
    comm::WorkPtr all_gather(at::Tensor output, at::Tensor input, Counts counts) override {
      return world_.meet(rank_, next_++, "all_gather", {output, input, counts, {}});
    }
    comm::WorkPtr all_to_all(at::Tensor output, Counts receive, at::Tensor input, Counts send) override {
      return world_.meet(rank_, next_++, "all_to_all", {output, input, receive, send});
    }
    comm::WorkPtr reduce_scatter(at::Tensor, at::Tensor) override { throw std::logic_error("not among threads"); }
    void barrier() override { world_.meet(rank_, next_++, "barrier", {})->wait(); }

   private:
    ThreadWorld& world_;
    const int rank_;
    std::size_t next_ = 0;
  };

  comm::WorkPtr meet(int rank, std::size_t place, const std::string& kind, Posted posted) {
    const std::lock_guard lock(mutex_);
    auto& meeting = meetings_[place];
    if (!meeting) meeting = std::make_shared<Meeting>(size_);
    if (meeting->kind.empty()) meeting->kind = kind;
    if (meeting->kind != kind) throw std::logic_error(kind + " of one rank meets " + meeting->kind + " of another");
    meeting->posted[static_cast<std::size_t>(rank)] = std::move(posted);
    const comm::WorkPtr work = meeting;
    if (++meeting->present == meeting->posted.size()) {
      carry_out(kind, meeting->posted);
      meeting->posted.clear();
      meeting->finish();
      meetings_.erase(place);
    }
    return work;
  }

  static void carry_out(const std::string& kind, const std::vector<Posted>& posted) {
    if (kind == "all_reduce" && posted[0].input.scalar_type() == at::kLong) reduce<std::int64_t>(posted);
    if (kind == "all_reduce" && posted[0].input.scalar_type() == at::kFloat) reduce<float>(posted);
    if (kind == "broadcast") spread(posted);
    for (std::size_t to = 0; to < posted.size(); ++to) {
      std::int64_t received = 0;
      for (std::size_t from = 0; from < posted.size() && !posted[to].receive.empty(); ++from) {
        std::int64_t skipped = 0;
        for (std::size_t before = 0; before < to && kind == "all_to_all"; ++before)
          skipped += posted[from].send[before];
        const std::int64_t count = posted[to].receive[from];
        if (kind == "all_to_all" && count != posted[from].send[to]) throw std::logic_error("counts disagree");
        const std::size_t width = posted[to].output.element_size();
        std::memmove(static_cast<char*>(posted[to].output.data_ptr()) + received * width,
                     static_cast<char*>(posted[from].input.data_ptr()) + skipped * width, count * width);
        received += count;
      }
    }
  }

  template <typename Number>
  static void reduce(const std::vector<Posted>& posted) {
    for (std::int64_t i = 0; i < posted[0].input.numel(); ++i) {
      Number result = posted[0].input.data_ptr<Number>()[i];
      for (std::size_t rank = 1; rank < posted.size(); ++rank) {
        const Number value = posted[rank].input.data_ptr<Number>()[i];
        switch (posted[0].op) {
          case comm::ReduceOp::kSum:
            result += value;
            break;
          case comm::ReduceOp::kMin:
            result = std::min(result, value);
            break;
          case comm::ReduceOp::kMax:
            result = std::max(result, value);
            break;
        }
      }
      for (const Posted& rank : posted) rank.output.data_ptr<Number>()[i] = result;
    }
  }

  static void spread(const std::vector<Posted>& posted) {
    const at::Tensor& source = posted.at(static_cast<std::size_t>(posted[0].root)).input;
    for (const Posted& rank : posted) {
      if (rank.output.nbytes() != source.nbytes()) throw std::logic_error("broadcast of another size");
      std::memmove(rank.output.data_ptr(), source.data_ptr(), source.nbytes());
    }
  }

  const int size_;
  std::mutex mutex_;
  std::map<std::size_t, std::shared_ptr<Meeting>> meetings_;
};

}  // namespace etude::testing
