#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

namespace etude::comm {

enum class ReduceOp { kSum, kMin, kMax };

/// A collective under way. The tensors given to it must stay alive and untouched until wait() returns.
class Work {
 public:
  virtual ~Work() = default;
  /// On the CPU, blocks until the collective is done. On a GPU the current stream waits for it and the host goes on:
  /// what is put on that stream from now on sees the result. Throws Error when it failed.
  virtual void wait() = 0;
  /// Whether it is done; on a GPU, whether the GPU has finished it.
  virtual bool done() = 0;
};
using WorkPtr = std::shared_ptr<Work>;

/// How long a collective may take, and what happens when one takes longer.
struct Deadline {
  double seconds = 0;  ///< since it was posted; 0 for as long as it likes
  /// Where each rank that can writes rank-<r>.txt: where the ranks stand, its last collectives, the stacks of its
  /// threads.
  std::filesystem::path folder;
  int exit_code = 1;
  /// Called on every such rank, from a thread of its own, before the file is written.
  std::function<void(const std::string& verdict, const std::filesystem::path& file)> tell;
};

/// What ranks say to each other. Every rank calls the same collectives in the same order; none of them blocks until
/// its Work is waited for. Tensors are contiguous; a GPU's only where the communicator has a stream(). Nothing above
/// this interface asks whether there is MPI.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Rank and number of ranks on this machine alone.
  virtual int local_rank() const = 0;
  virtual int local_size() const = 0;
  /// "single process", "MPI (Open MPI 4.1.4)", for logs and environment.json.
  virtual std::string name() const = 0;

  virtual WorkPtr all_reduce(at::Tensor values, ReduceOp op) = 0;
  virtual WorkPtr broadcast(at::Tensor values, int root) = 0;
  /// Rank r receives the sum over ranks of the r-th of size() equal parts of `input`: output [n / size()], input [n].
  virtual WorkPtr reduce_scatter(at::Tensor output, at::Tensor input) = 0;
  /// output holds counts[0] values of rank 0, then counts[1] of rank 1, …; input holds counts[rank()] values, and may
  /// be this rank's own part of output.
  virtual WorkPtr all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) = 0;
  /// Sends send_counts[r] values of `input`, in order, to each rank r; receives receive_counts[r] from each.
  virtual WorkPtr all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                             std::vector<std::int64_t> send_counts) = 0;
  virtual void barrier() = 0;

  /// The stream on which collectives of a GPU's tensors run, each after everything that was on the current stream when
  /// it was posted. Nothing where tensors of the CPU alone are moved.
  virtual std::optional<c10::Stream> stream() const { return std::nullopt; }
  /// Which other rank is known to have died, as a sentence; empty while all live, or where the launcher sees to that.
  virtual std::string lost_rank() { return {}; }

  /// For reports of faults alone: the step that is being made (from 1 on; 0 before the first), and what this rank does
  /// for it. `doing` is a literal: "computing".
  virtual void describe(std::int64_t /*step*/, const char* /*doing*/) {}
  /// From now on all ranks end, and say which of them is missing, when a collective misses its deadline. Once, and on
  /// every rank. A rank alone waits for nobody.
  virtual void watch(const Deadline& /*deadline*/) {}

  /// Ends this process and every other rank with `code`, at once: for an error that the others cannot know of, and
  /// would wait for without end. Says nothing; whoever calls it has told the user why.
  [[noreturn]] virtual void abort(int code);
};

/// Names the collectives that this thread posts while the label lives, for reports of faults: "bucket 3".
class Label {
 public:
  explicit Label(std::string text);
  ~Label();
  Label(const Label&) = delete;
  Label& operator=(const Label&) = delete;

 private:
  std::string before_;
};

/// The communicator of this process: MPI when it was started under an MPI launcher (mpirun, srun --mpi=pmix) with
/// more than one rank or `ETUDE_COMM=mpi`, TCP when RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are given, a single
/// process otherwise. Throws Error when ranks were started that have no way to find each other, with the way out.
std::unique_ptr<Communicator> make_communicator();

/// The root's text on every rank.
std::string broadcast_text(Communicator& communicator, const std::string& text, int root = 0);
/// Every rank's text, by rank.
std::vector<std::string> all_gather_text(Communicator& communicator, const std::string& text);

}  // namespace etude::comm
