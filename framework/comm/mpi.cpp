#include "framework/comm/mpi.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <mpi.h>

#include "framework/comm/arguments.h"
#include "framework/comm/mpi_thread.h"
#include "framework/config/error.h"

namespace etude::comm {
namespace {

using Requests = std::vector<MPI_Request>;

constexpr int kTag = 1;  // all point-to-point messages: MPI keeps those of one pair of ranks in order

MPI_Datatype type_to_reduce(const char* operation, at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kLong:
      return MPI_INT64_T;
    case at::kInt:
      return MPI_INT32_T;
    case at::kByte:
      return MPI_UINT8_T;
    default:
      throw Error(
          fmt::format("{}: MPI has no arithmetic for {}; convert to float32 first", operation, at::toString(type)));
  }
}

MPI_Datatype type_to_copy(const at::Tensor& tensor) {
  switch (tensor.element_size()) {
    case 1:
      return MPI_UINT8_T;
    case 2:
      return MPI_UINT16_T;
    case 4:
      return MPI_UINT32_T;
    case 8:
      return MPI_UINT64_T;
    default:
      return MPI_C_DOUBLE_COMPLEX;
  }
}

MPI_Op op_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return MPI_SUM;
    case ReduceOp::kMin:
      return MPI_MIN;
    case ReduceOp::kMax:
      return MPI_MAX;
  }
  throw Error("all_reduce: unknown operation");
}

MPI_Request& add_to(Requests& requests) { return requests.emplace_back(MPI_REQUEST_NULL); }

void* at_value(const at::Tensor& tensor, std::int64_t index) {
  return static_cast<char*>(tensor.data_ptr()) + index * static_cast<std::int64_t>(tensor.element_size());
}

/// Calls piece(first, count) for consecutive pieces of `values` that MPI can count.
template <typename Piece>
void in_pieces(std::int64_t values, std::int64_t largest, Piece piece) {
  for (std::int64_t first = 0; first < values; first += largest) {
    piece(first, static_cast<int>(std::min(largest, values - first)));
  }
}

std::vector<int> narrowed(const std::vector<std::int64_t>& values) { return {values.begin(), values.end()}; }

Request request_of(const char* operation, const at::Tensor& tensor) {
  return {operation, tensor.numel(), tensor.scalar_type()};
}

}  // namespace

Mpi::Mpi(std::int64_t largest_count) : largest_count_(largest_count), thread_(std::make_unique<MpiThread>()) {}
Mpi::~Mpi() = default;

int Mpi::rank() const { return thread_->place().rank; }
int Mpi::size() const { return thread_->place().size; }
int Mpi::local_rank() const { return thread_->place().local_rank; }
int Mpi::local_size() const { return thread_->place().local_size; }
std::string Mpi::name() const { return fmt::format("MPI ({})", thread_->place().library); }
void Mpi::describe(std::int64_t step, const char* doing) { thread_->describe(step, doing); }
void Mpi::watch(const Deadline& deadline) { thread_->watch(deadline); }
void Mpi::abort(int code) { thread_->abort(code); }

WorkPtr Mpi::all_reduce(at::Tensor values, ReduceOp op) {
  check_tensor("all_reduce", values);
  const MPI_Datatype type = type_to_reduce("all_reduce", values.scalar_type());
  const Request request = request_of("all_reduce", values);
  return thread_->post(request, [=, largest = largest_count_](Requests& requests) {
    in_pieces(values.numel(), largest, [&](std::int64_t first, int count) {
      check_mpi(MPI_Iallreduce(MPI_IN_PLACE, at_value(values, first), count, type, op_of(op), MPI_COMM_WORLD,
                               &add_to(requests)),
                "MPI_Iallreduce");
    });
  });
}

WorkPtr Mpi::broadcast(at::Tensor values, int root) {
  check_tensor("broadcast", values);
  check_root("broadcast", root, size());
  const Request request = request_of("broadcast", values);
  return thread_->post(request, [=, largest = largest_count_](Requests& requests) {
    in_pieces(values.numel(), largest, [&](std::int64_t first, int count) {
      check_mpi(
          MPI_Ibcast(at_value(values, first), count, type_to_copy(values), root, MPI_COMM_WORLD, &add_to(requests)),
          "MPI_Ibcast");
    });
  });
}

WorkPtr Mpi::reduce_scatter(at::Tensor output, at::Tensor input) {
  check_reduce_scatter(output, input, size());
  const MPI_Datatype type = type_to_reduce("reduce_scatter", input.scalar_type());
  const Request request = request_of("reduce_scatter", input);
  return thread_->post(request, [=, this](Requests& requests) {
    const std::int64_t part = output.numel();
    if (part <= largest_count_) {
      check_mpi(MPI_Ireduce_scatter_block(input.data_ptr(), output.data_ptr(), static_cast<int>(part), type, MPI_SUM,
                                          MPI_COMM_WORLD, &add_to(requests)),
                "MPI_Ireduce_scatter_block");
      return;
    }
    for (int owner = 0; owner < size(); ++owner) {
      in_pieces(part, largest_count_, [&](std::int64_t first, int count) {
        check_mpi(MPI_Ireduce(at_value(input, owner * part + first), at_value(output, first), count, type, MPI_SUM,
                              owner, MPI_COMM_WORLD, &add_to(requests)),
                  "MPI_Ireduce");
      });
    }
  });
}

WorkPtr Mpi::all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) {
  check_all_gather(output, input, counts, rank(), size());
  const Request request = request_of("all_gather", output);
  const std::vector<std::int64_t> offsets = offsets_of(counts);
  void* const own = at_value(output, offsets[static_cast<std::size_t>(rank())]);
  const MPI_Datatype type = type_to_copy(output);

  if (output.numel() <= largest_count_) {
    const void* const from = input.data_ptr() == own ? MPI_IN_PLACE : input.data_ptr();
    return thread_->post(request, [=, sizes = narrowed(counts), begins = narrowed(offsets)](Requests& requests) {
      check_mpi(MPI_Iallgatherv(from, static_cast<int>(input.numel()), type, output.data_ptr(), sizes.data(),
                                begins.data(), type, MPI_COMM_WORLD, &add_to(requests)),
                "MPI_Iallgatherv");
    });
  }
  // The displacements of MPI_Iallgatherv are int as well: every rank in turn gives its part to all.
  return thread_->post(request, [=, this](Requests& requests) {
    if (input.numel() > 0 && input.data_ptr() != own) std::memcpy(own, input.data_ptr(), input.nbytes());
    for (int owner = 0; owner < size(); ++owner) {
      const auto index = static_cast<std::size_t>(owner);
      in_pieces(counts[index], largest_count_, [&](std::int64_t first, int count) {
        check_mpi(
            MPI_Ibcast(at_value(output, offsets[index] + first), count, type, owner, MPI_COMM_WORLD, &add_to(requests)),
            "MPI_Ibcast");
      });
    }
  });
}

WorkPtr Mpi::all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                        std::vector<std::int64_t> send_counts) {
  check_all_to_all(output, receive_counts, input, send_counts, rank(), size());
  const Request request = request_of("all_to_all", input);
  return thread_->post(request, [=, this](Requests& requests) {
    const std::vector<std::int64_t> receive_at = offsets_of(receive_counts), send_at = offsets_of(send_counts);
    const MPI_Datatype type = type_to_copy(input);
    // Each rank begins with its right-hand neighbour, lest all send to rank 0 first.
    for (int distance = 1; distance < size(); ++distance) {
      const int to = (rank() + distance) % size(), from = (rank() + size() - distance) % size();
      const auto source = static_cast<std::size_t>(from), target = static_cast<std::size_t>(to);
      in_pieces(receive_counts[source], largest_count_, [&](std::int64_t first, int count) {
        check_mpi(MPI_Irecv(at_value(output, receive_at[source] + first), count, type, from, kTag, MPI_COMM_WORLD,
                            &add_to(requests)),
                  "MPI_Irecv");
      });
      in_pieces(send_counts[target], largest_count_, [&](std::int64_t first, int count) {
        check_mpi(MPI_Isend(at_value(input, send_at[target] + first), count, type, to, kTag, MPI_COMM_WORLD,
                            &add_to(requests)),
                  "MPI_Isend");
      });
    }
    const auto own = static_cast<std::size_t>(rank());
    if (send_counts[own] > 0) {
      std::memcpy(at_value(output, receive_at[own]), at_value(input, send_at[own]),
                  static_cast<std::size_t>(send_counts[own]) * input.element_size());
    }
  });
}

void Mpi::barrier() {
  thread_
      ->post({"barrier", 0, at::kByte},
             [](Requests& requests) { check_mpi(MPI_Ibarrier(MPI_COMM_WORLD, &add_to(requests)), "MPI_Ibarrier"); })
      ->wait();
}

}  // namespace etude::comm
