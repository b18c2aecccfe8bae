#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <mpi.h>

#include "framework/comm/arguments.h"
#include "framework/comm/communicator.h"
#include "framework/comm/flight_recorder.h"
#include "framework/comm/mpi_mailbox.h"
#include "framework/comm/watchdog.h"

namespace etude::comm {

/// Throws Error with MPI's own words when `code`, returned by `call`, is not MPI_SUCCESS.
void check_mpi(int code, const char* call);

/// A collective on its way through the communication thread.
class Operation : public Work {
 public:
  /// Starts the collective on the communication thread, and adds what it must see through. Whatever the function
  /// object holds (tensors, arrays of counts) lives until the collective is done, as MPI demands.
  using Start = std::function<void(std::vector<MPI_Request>&)>;

  Operation(Request request, Start start) : request_(request), start_(std::move(start)) {}
  void wait() override;
  bool done() override;

 private:
  friend class MpiThread;
  void complete(std::exception_ptr failure);

  const Request request_;
  Start start_;
  std::int64_t number_ = 0;         ///< the flight recorder's
  std::size_t outstanding_ = 0;     ///< requests not yet done; the communication thread's own
  std::exception_ptr failure_own_;  ///< likewise: the first failure among them

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::exception_ptr failure_;
};

/// The one thread of this process that calls MPI, from MPI_Init_thread to MPI_Finalize. It starts operations in the
/// order in which they were posted, as non-blocking collectives, so that any number of them is in flight.
///
/// Nothing but calls into MPI moves its messages along, and the thread usually shares its core with the computation.
/// So it polls eagerly while there is a sign of life, then at growing distances; and sleeps when nothing is in flight.
class MpiThread {
 public:
  /// Blocks until MPI is initialised. Throws Error when it cannot be.
  MpiThread();
  /// Waits until everything posted is done, then finalises MPI; an exception passing by leaves both undone, since the
  /// other ranks may never come, and lets the launcher find this process gone.
  ~MpiThread();
  MpiThread(const MpiThread&) = delete;
  MpiThread& operator=(const MpiThread&) = delete;

  WorkPtr post(Request request, Operation::Start start);
  void describe(std::int64_t step, const char* doing) { recorder_.describe(step, doing); }
  void watch(const Deadline& deadline);
  [[noreturn]] void abort(int code);

  struct Place {
    int rank = 0;
    int size = 1;
    int local_rank = 0;
    int local_size = 1;
    std::string library;
  };
  const Place& place() const { return place_; }

 private:
  using OperationPtr = std::shared_ptr<Operation>;

  void run();
  void initialise();
  bool wait_for_news();
  void start(const OperationPtr& operation);
  void poll();
  void move_mail();
  void complete(const OperationPtr& operation);
  void forget_finished();
  void meet_at_the_end();
  void fail_everything(std::exception_ptr failure);

  Place place_;
  FlightRecorder recorder_;
  std::unique_ptr<MpiMailbox> mailbox_;
  std::unique_ptr<Watchdog> watchdog_;
  const int exceptions_at_start_;

  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<OperationPtr> posted_;
  bool initialised_ = false;
  std::exception_ptr failure_;
  bool finalise_ = false;
  bool leave_ = false;
  std::optional<int> abort_code_;

  // The thread's own. requests_[i] belongs to owners_[i].
  std::vector<OperationPtr> fresh_;
  std::vector<MPI_Request> requests_;
  std::vector<OperationPtr> owners_;
  std::vector<int> finished_;
  std::vector<MPI_Status> statuses_;
  std::chrono::steady_clock::time_point last_sign_of_life_;
  std::chrono::steady_clock::time_point last_mail_;

  std::thread thread_;
};

}  // namespace etude::comm
