#include "framework/comm/mpi_thread.h"

#include <fmt/format.h>
#include <sched.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "framework/comm/thread_signals.h"
#include "framework/config/error.h"

namespace etude::comm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// How long to keep polling at every turn of the scheduler after the last sign of life. A small message between two
// ranks that are both here takes a few microseconds, so that it never meets a pause.
constexpr auto kEager = microseconds(50);
// After that the pause is a part of the time waited so far: what it adds to a wait stays in proportion.
constexpr int kPauseShare = 8;
constexpr auto kLongestPause = microseconds(100);
// A poll that took longer than this moved data: there will be more.
constexpr auto kIdlePoll = microseconds(3);
// How often to look for letters of other ranks that wait for this one.
constexpr auto kMail = std::chrono::milliseconds(100);
// How long abort() gives the communication thread before it ends this process alone.
constexpr auto kAbortPatience = std::chrono::seconds(5);

/// Timers of a normal thread may fire 50 µs late, which is as long as the pauses here.
void wake_on_time() {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1000UL);
#endif
}

std::string library_name() {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check_mpi(MPI_Get_library_version(version, &length), "MPI_Get_library_version");
  const std::string text(version, static_cast<std::size_t>(length));
  return text.substr(0, text.find_first_of(",\n"));
}

}  // namespace

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) length = 0;
  throw Error(
      fmt::format("{}: {}", call,
                  length > 0 ? std::string(text, static_cast<std::size_t>(length)) : fmt::format("error {}", code)));
}

void Operation::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_; });
  if (failure_) std::rethrow_exception(failure_);
}

bool Operation::done() {
  const std::lock_guard lock(mutex_);
  return done_;
}

void Operation::complete(std::exception_ptr failure) {
  start_ = nullptr;  // lets go of the tensors
  const std::lock_guard lock(mutex_);
  done_ = true;
  failure_ = std::move(failure);
  changed_.notify_all();
}

MpiThread::MpiThread() : exceptions_at_start_(std::uncaught_exceptions()) {
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  news_.wait(lock, [this] { return initialised_ || failure_; });
  if (failure_) {
    lock.unlock();
    thread_.join();
    std::rethrow_exception(failure_);
  }
}

MpiThread::~MpiThread() {
  const bool unwinding = std::uncaught_exceptions() > exceptions_at_start_;
  if (!unwinding) meet_at_the_end();
  watchdog_.reset();
  {
    const std::lock_guard lock(mutex_);
    (unwinding ? leave_ : finalise_) = true;
  }
  news_.notify_all();
  thread_.join();
}

WorkPtr MpiThread::post(Request request, Operation::Start start) {
  auto operation = std::make_shared<Operation>(request, std::move(start));
  {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    operation->number_ = recorder_.posted(request);
    posted_.push_back(operation);
  }
  news_.notify_all();
  return operation;
}

void MpiThread::watch(const Deadline& deadline) {
  if (place_.size == 1) return;
  watchdog_ = std::make_unique<Watchdog>(place_.rank, place_.size, recorder_, *mailbox_, deadline,
                                         [this](int code) { abort(code); });
}

/// MPI_Finalize waits for all ranks too, but out of the watchdog's sight.
void MpiThread::meet_at_the_end() {
  try {
    const auto start = [](std::vector<MPI_Request>& requests) {
      check_mpi(MPI_Ibarrier(MPI_COMM_WORLD, &requests.emplace_back(MPI_REQUEST_NULL)), "MPI_Ibarrier");
    };
    post({"last barrier", 0, at::kByte}, start)->wait();
  } catch (const std::exception&) {
    // Whoever used the communicator has been told of what made MPI fail.
  }
}

void MpiThread::abort(int code) {
  std::fflush(nullptr);
  {
    const std::lock_guard lock(mutex_);
    abort_code_ = code;
  }
  news_.notify_all();
  std::this_thread::sleep_for(kAbortPatience);
  std::_Exit(code);
}

void MpiThread::run() {
  be_a_helper_thread("communication");
  wake_on_time();
  try {
    initialise();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    news_.notify_all();
    return;
  }
  try {
    while (wait_for_news()) {
      for (const OperationPtr& operation : fresh_) start(operation);
      fresh_.clear();
      poll();
      move_mail();
    }
    if (finalise_) {
      mailbox_->close();
      MPI_Finalize();
    }
  } catch (...) {
    fail_everything(std::current_exception());
  }
}

void MpiThread::initialise() {
  int already = 0;
  check_mpi(MPI_Initialized(&already), "MPI_Initialized");
  if (already) throw Error("MPI was initialised before in this process, and can be only once: keep one communicator");
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) {
    throw Error("this MPI library cannot be used in a program with threads (MPI_THREAD_FUNNELED): install another");
  }
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &place_.rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &place_.size), "MPI_Comm_size");

  MPI_Comm machine = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, place_.rank, MPI_INFO_NULL, &machine),
            "MPI_Comm_split_type");
  check_mpi(MPI_Comm_rank(machine, &place_.local_rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(machine, &place_.local_size), "MPI_Comm_size");
  check_mpi(MPI_Comm_free(&machine), "MPI_Comm_free");
  place_.library = library_name();
  mailbox_ = std::make_unique<MpiMailbox>();

  const std::lock_guard lock(mutex_);
  initialised_ = true;
  news_.notify_all();
}

/// Moves what was posted into fresh_, after pausing as long as is fitting. False when the thread is to end.
bool MpiThread::wait_for_news() {
  std::unique_lock lock(mutex_);
  const auto has_news = [this] { return !posted_.empty() || finalise_ || leave_ || abort_code_; };
  if (requests_.empty()) {
    news_.wait_for(lock, kMail, has_news);
  } else if (posted_.empty()) {
    const auto waited = Clock::now() - last_sign_of_life_;
    if (waited < kEager) {
      lock.unlock();
      sched_yield();
      lock.lock();
    } else {
      news_.wait_for(lock, std::min<Clock::duration>(waited / kPauseShare, kLongestPause),
                     [&] { return !posted_.empty() || leave_ || abort_code_; });
    }
  }
  if (abort_code_) MPI_Abort(MPI_COMM_WORLD, *abort_code_);
  fresh_.swap(posted_);
  if (leave_) return false;
  return !(finalise_ && fresh_.empty() && requests_.empty());
}

void MpiThread::start(const OperationPtr& operation) {
  const std::size_t before = requests_.size();
  try {
    operation->start_(requests_);
  } catch (const std::exception& problem) {
    operation->failure_own_ =
        std::make_exception_ptr(Error(fmt::format("{} failed: {}", operation->request_.text(), problem.what())));
    // The request of the call that failed was never made.
    requests_.erase(
        std::remove(requests_.begin() + static_cast<std::ptrdiff_t>(before), requests_.end(), MPI_REQUEST_NULL),
        requests_.end());
  }
  operation->outstanding_ = requests_.size() - before;
  owners_.resize(requests_.size(), operation);
  last_sign_of_life_ = Clock::now();
  if (operation->outstanding_ == 0) complete(operation);
}

void MpiThread::complete(const OperationPtr& operation) {
  recorder_.done(operation->number_);
  operation->complete(operation->failure_own_);
}

/// Letters come only when something is wrong, so they may wait a little, and cost nothing while all is well.
void MpiThread::move_mail() {
  const auto now = Clock::now();
  if (place_.size == 1 || now - last_mail_ < kMail) return;
  last_mail_ = now;
  mailbox_->move();
}

void MpiThread::poll() {
  if (requests_.empty()) return;
  finished_.resize(requests_.size());
  statuses_.resize(requests_.size());
  int count = 0;
  const auto before = Clock::now();
  const int code =
      MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count, finished_.data(), statuses_.data());
  const auto after = Clock::now();
  if (code != MPI_SUCCESS && code != MPI_ERR_IN_STATUS) check_mpi(code, "MPI_Testsome");
  if (count > 0 || after - before > kIdlePoll) last_sign_of_life_ = after;

  for (int i = 0; i < count; ++i) {
    const OperationPtr& operation = owners_[static_cast<std::size_t>(finished_[static_cast<std::size_t>(i)])];
    const int outcome = code == MPI_SUCCESS ? MPI_SUCCESS : statuses_[static_cast<std::size_t>(i)].MPI_ERROR;
    try {
      check_mpi(outcome, "while under way");
    } catch (const std::exception& problem) {
      operation->failure_own_ =
          std::make_exception_ptr(Error(fmt::format("{} failed: {}", operation->request_.text(), problem.what())));
    }
    if (--operation->outstanding_ == 0) complete(operation);
  }
  if (count > 0) forget_finished();
}

void MpiThread::forget_finished() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    requests_[kept] = requests_[i];
    owners_[kept] = std::move(owners_[i]);
    ++kept;
  }
  requests_.resize(kept);
  owners_.resize(kept);
}

void MpiThread::fail_everything(std::exception_ptr failure) {
  std::vector<OperationPtr> lost;
  {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    lost.swap(posted_);
  }
  lost.insert(lost.end(), fresh_.begin(), fresh_.end());
  lost.insert(lost.end(), owners_.begin(), owners_.end());
  for (const OperationPtr& operation : lost) operation->complete(failure);
}

}  // namespace etude::comm
