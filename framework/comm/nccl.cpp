#include "framework/comm/nccl.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <fstream>

#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include "framework/comm/stack_traces.h"
#include "framework/comm/thread_signals.h"
#include "framework/config/error.h"

namespace etude::comm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds(100);

c10::Stream current_stream(const c10::Device& device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

}  // namespace

/// What made further collectives impossible; set once.
struct Nccl::Failure {
  void set(const std::string& text) {
    const std::lock_guard lock(mutex);
    if (why.empty()) why = text;
  }
  void check() {
    const std::lock_guard lock(mutex);
    if (!why.empty()) throw Error(why);
  }
  bool there() {
    const std::lock_guard lock(mutex);
    return !why.empty();
  }
  std::mutex mutex;
  std::string why;
};

class Nccl::Flying : public Work {
 public:
  Flying(std::int64_t number, std::vector<at::Tensor> tensors, const c10::Stream& stream,
         std::shared_ptr<Failure> failure)
      : number_(number),
        device_(stream.device()),
        finished_(stream.device_type()),
        failure_(std::move(failure)),
        tensors_(std::move(tensors)) {
    finished_.record(stream);
  }

  void wait() override {
    failure_->check();
    finished_.block(current_stream(device_));
  }
  bool done() override {
    failure_->check();
    return finished_.query();
  }
  std::int64_t number() const { return number_; }

 private:
  const std::int64_t number_;  ///< the flight recorder's
  const c10::Device device_;
  c10::Event finished_;
  std::shared_ptr<Failure> failure_;
  std::vector<at::Tensor> tensors_;
};

Nccl::Nccl(Communicator& host, std::unique_ptr<NcclCalls> calls)
    : host_(host),
      calls_(std::move(calls)),
      failure_(std::make_shared<Failure>()),
      exceptions_at_start_(std::uncaught_exceptions()),
      watcher_([this] { look_after(); }) {}

Nccl::~Nccl() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  changed_.notify_all();
  watcher_.join();
  const bool together = std::uncaught_exceptions() <= exceptions_at_start_ && !failure_->there();
  try {
    if (together) calls_->close();
  } catch (const std::exception&) {
    // All collectives that somebody waited for are done; what fails while letting go harms nobody.
  }
  // Else the others may never come to close with this rank: the end of the process does it.
  if (!together) static_cast<void>(calls_.release());
}

std::string Nccl::name() const { return fmt::format("NCCL {} beside {}", calls_->version(), host_.name()); }

void Nccl::abort(int code) {
  host_.abort(code);
  std::_Exit(code);  // never reached
}

void Nccl::describe(std::int64_t step, const char* doing) {
  recorder_.describe(step, doing);
  host_.describe(step, doing);
}

void Nccl::watch(const Deadline& deadline) {
  prepare_stack_traces();
  const std::lock_guard lock(mutex_);
  deadline_ = deadline;
}

WorkPtr Nccl::post(const char* operation, const at::Tensor& about, std::vector<at::Tensor> tensors,
                   const std::function<void()>& launch) {
  failure_->check();
  const c10::Stream side = calls_->stream();
  if (about.device() != side.device()) {
    throw Error(fmt::format("{}: the tensor is on {}, this rank's GPU is {}", operation, about.device().str(),
                            side.device().str()));
  }
  const std::lock_guard order(posting_);
  const c10::DeviceGuard guard(side.device());
  const Request request{operation, about.numel(), about.scalar_type()};
  const std::int64_t number = recorder_.posted(request);
  try {
    const c10::Stream current = current_stream(side.device());
    if (current != side) {
      c10::Event before(side.device_type());
      before.record(current);
      before.block(side);
    }
    launch();
  } catch (const std::exception& problem) {
    recorder_.done(number);
    failure_->check();  // the watching thread may know why
    throw Error(fmt::format("{} failed: {}", request.text(), problem.what()));
  }
  auto flying = std::make_shared<Flying>(number, std::move(tensors), side, failure_);
  const std::lock_guard lock(mutex_);
  flying_.push_back(flying);
  return flying;
}

WorkPtr Nccl::all_reduce(at::Tensor values, ReduceOp op) {
  if (values.is_cpu()) return host_.all_reduce(std::move(values), op);
  check_tensor("all_reduce", values, at::kCUDA);
  return post("all_reduce", values, {values}, [&] { calls_->all_reduce(values, op); });
}

WorkPtr Nccl::broadcast(at::Tensor values, int root) {
  if (values.is_cpu()) return host_.broadcast(std::move(values), root);
  check_tensor("broadcast", values, at::kCUDA);
  check_root("broadcast", root, size());
  return post("broadcast", values, {values}, [&] { calls_->broadcast(values, root); });
}

WorkPtr Nccl::reduce_scatter(at::Tensor output, at::Tensor input) {
  if (input.is_cpu()) return host_.reduce_scatter(std::move(output), std::move(input));
  check_reduce_scatter(output, input, size(), at::kCUDA);
  return post("reduce_scatter", input, {output, input}, [&] { calls_->reduce_scatter(output, input); });
}

WorkPtr Nccl::all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) {
  if (input.is_cpu()) return host_.all_gather(std::move(output), std::move(input), std::move(counts));
  check_all_gather(output, input, counts, rank(), size(), at::kCUDA);
  return post("all_gather", output, {output, input}, [&] { calls_->all_gather(output, input, counts); });
}

WorkPtr Nccl::all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                         std::vector<std::int64_t> send_counts) {
  if (input.is_cpu()) {
    return host_.all_to_all(std::move(output), std::move(receive_counts), std::move(input), std::move(send_counts));
  }
  check_all_to_all(output, receive_counts, input, send_counts, rank(), size(), at::kCUDA);
  return post("all_to_all", input, {output, input},
              [&] { calls_->all_to_all(output, receive_counts, input, send_counts); });
}

void Nccl::look_after() {
  be_a_helper_thread("nccl watch");
  auto last_look = Clock::now();
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLook, [this] { return leaving_; })) {
    const auto passed = Clock::now() - last_look;
    last_look += passed;
    std::string why = trouble();
    if (why.empty()) patience_.look(recorder_, passed);
    if (why.empty() && patience_.is_over(deadline_.seconds)) {
      lock.unlock();
      end_of_patience();
    }
    if (why.empty()) continue;
    lock.unlock();
    failure_->set(why);
    calls_->abort();  // whoever waits on the GPU now goes on, and is told at its next call
    return;
  }
}

std::string Nccl::trouble() {
  try {
    forget_finished();
    if (const std::string why = calls_->trouble(); !why.empty()) return why;
    return host_.lost_rank();
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

void Nccl::forget_finished() {
  while (!flying_.empty() && flying_.front()->done()) {
    recorder_.done(flying_.front()->number());
    flying_.pop_front();
  }
}

/// Every rank comes here by itself. GPUs cannot tell who has not come: the ranks' files, side by side, do.
void Nccl::end_of_patience() {
  const Position position = recorder_.position();
  const std::string found = fmt::format(
      "on the GPU of rank {}, {} has not been done for {:.1f} s: another rank has not come to it, or the network "
      "between the GPUs stands still; the files of all ranks in {} show who is where",
      rank(), position.oldest ? position.oldest->text() : "a collective", patience_.waited().count(),
      deadline_.folder.string());
  const auto file = deadline_.folder / fmt::format("rank-{}.txt", rank());
  if (deadline_.tell) deadline_.tell(found, file);
  std::error_code ignored;  // what cannot be written has been said, at least
  std::filesystem::create_directories(deadline_.folder, ignored);
  std::string text = fmt::format("{}\n\nThe last collectives on the GPU of rank {}, which is at step {}, {}\n", found,
                                 rank(), position.step, position.doing);
  for (const Flight& flight : recorder_.flights()) {
    text += fmt::format("  {:>6}  {}  {}\n", flight.number, flight.text(), flight.done ? "done" : "not done");
  }
  text += fmt::format("\nThe stacks of rank {}\n{}\n", rank(), stack_traces());
  std::ofstream(file, std::ios::app) << text << std::flush;
  // Ending one rank ends the others: not before they have written theirs.
  std::this_thread::sleep_for(std::chrono::seconds(3));
  host_.abort(deadline_.exit_code);
}

}  // namespace etude::comm
