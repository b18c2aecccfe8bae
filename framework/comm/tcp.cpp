#include "framework/comm/tcp.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "framework/comm/arguments.h"
#include "framework/config/error.h"

namespace etude::comm {
namespace {

constexpr std::array<char, 8> kGreeting = {'e', 't', 'u', 'd', 'e', '-', '1', '\n'};
constexpr std::uint32_t kLongestText = 1 << 20;
/// Somebody who connects and is no rank says nothing: how long that is listened to.
constexpr std::chrono::seconds kForAGreeting{10};

/// What a rank says when it comes.
struct Hello {
  std::array<char, 8> greeting = kGreeting;
  std::int32_t rank = 0;
  std::int32_t size = 0;
};

/// Before the values of a collective.
struct Header {
  std::uint64_t number = 0;  ///< of the collective, counted from the start
  std::uint32_t kind = 0;
  std::uint32_t spare = 0;
  std::uint64_t bytes = 0;
};

void send_text(Socket& to, const std::string& text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  to.send(&length, sizeof length);
  to.send(text.data(), text.size());
}

std::string receive_text(Socket& from, std::chrono::seconds patience) {
  std::uint32_t length = 0;
  from.receive(&length, sizeof length, patience);
  if (length > kLongestText) throw Error(fmt::format("{} is no rank of Etude", from.peer()));
  std::string text(length, '\0');
  from.receive(text.data(), text.size(), patience);
  return text;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

class DoneAlready : public Work {
 public:
  void wait() override {}
  bool done() override { return true; }
};

WorkPtr done_already() { return std::make_shared<DoneAlready>(); }

void reduce_into(at::Tensor& sum, const at::Tensor& values, ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      sum.add_(values);
      break;
    case ReduceOp::kMin:
      at::minimum_out(sum, sum, values);
      break;
    case ReduceOp::kMax:
      at::maximum_out(sum, sum, values);
      break;
  }
}

}  // namespace

Tcp::Tcp(const TcpPlace& place) : place_(place) {
  if (place_.rank == 0) {
    gather_ranks();
  } else {
    join_ranks();
  }
}

Tcp::~Tcp() = default;

std::string Tcp::name() const { return fmt::format("TCP ({}:{})", place_.address, place_.port); }

void Tcp::gather_ranks() {
  const auto deadline = Socket::Clock::now() + place_.patience;
  std::vector<std::string> hosts(static_cast<std::size_t>(place_.size));
  connections_.resize(hosts.size());
  hosts[0] = host_name();
  std::vector<int> missing(hosts.size() - 1);
  std::iota(missing.begin(), missing.end(), 1);

  // What is wrong with one rank is wrong for all: rank 0 tells them, so that nobody waits for what never comes.
  const auto refuse = [&](Socket& newcomer, const std::string& why) {
    if (!newcomer.closed()) send_text(newcomer, why);
    for (int rank = 1; rank < place_.size; ++rank) {
      if (!connection(rank).closed()) send_text(connection(rank), why);
    }
    throw Error(why);
  };

  Listener listener(place_.port);
  while (!missing.empty()) {
    Socket newcomer;
    if (!listener.accept(newcomer, deadline)) {
      const std::string why =
          fmt::format("rank{} {} of {} did not come to {}:{} within {} s", missing.size() > 1 ? "s" : "",
                      fmt::join(missing, ", "), place_.size, place_.address, place_.port, place_.patience.count());
      refuse(newcomer, why);
    }
    Hello hello;
    std::string host;
    try {
      newcomer.receive(&hello, sizeof hello, kForAGreeting);
      if (hello.greeting != kGreeting) continue;  // somebody else's program, at the wrong door
      host = receive_text(newcomer, kForAGreeting);
    } catch (const Error&) {
      continue;
    }
    if (hello.size != place_.size) {
      refuse(newcomer, fmt::format("rank {} was started with WORLD_SIZE={}, rank 0 with {}", hello.rank, hello.size,
                                   place_.size));
    }
    const auto found = std::find(missing.begin(), missing.end(), hello.rank);
    if (found == missing.end()) {
      refuse(newcomer, fmt::format("two processes were started with RANK={}", hello.rank));
    }
    missing.erase(found);
    newcomer.name_peer(fmt::format("rank {}", hello.rank));
    connection(hello.rank) = std::move(newcomer);
    hosts[static_cast<std::size_t>(hello.rank)] = host;
  }
  for (int rank = 1; rank < place_.size; ++rank) {
    send_text(connection(rank), "");  // nothing is wrong
    send_text(connection(rank), fmt::format("{}", fmt::join(hosts, "\n")));
  }
  count_local_ranks(hosts);
}

void Tcp::join_ranks() {
  const auto deadline = Socket::Clock::now() + place_.patience;
  connections_.push_back(Socket::connect(place_.address, place_.port, deadline));
  rank_zero().name_peer("rank 0");
  const Hello hello{kGreeting, place_.rank, place_.size};
  rank_zero().send(&hello, sizeof hello);
  send_text(rank_zero(), host_name());
  // Rank 0 gives up first, and says for whom it waited.
  const auto patience = place_.patience + std::chrono::seconds(5);
  const std::string problem = receive_text(rank_zero(), patience);
  if (!problem.empty()) throw Error(problem);
  const std::string joined = receive_text(rank_zero(), patience);
  std::vector<std::string> hosts(1);
  for (const char letter : joined) {
    if (letter == '\n') {
      hosts.emplace_back();
    } else {
      hosts.back() += letter;
    }
  }
  count_local_ranks(hosts);
}

void Tcp::count_local_ranks(const std::vector<std::string>& hosts) {
  const auto own = hosts.begin() + place_.rank;
  if (!place_.local_rank) place_.local_rank = static_cast<int>(std::count(hosts.begin(), own, *own));
  if (!place_.local_size) place_.local_size = static_cast<int>(std::count(hosts.begin(), hosts.end(), *own));
}

void Tcp::send(Socket& to, Kind kind, const at::Tensor& values) {
  const Header header{collectives_, static_cast<std::uint32_t>(kind), 0, values.nbytes()};
  to.send(&header, sizeof header);
  if (values.nbytes() > 0) to.send(values.const_data_ptr(), values.nbytes());
}

void Tcp::receive(Socket& from, Kind kind, const at::Tensor& values) {
  Header header;
  from.receive(&header, sizeof header, patience_);
  if (header.number != collectives_ || header.kind != static_cast<std::uint32_t>(kind) ||
      header.bytes != values.nbytes()) {
    throw Error(
        fmt::format("{} and this rank disagree about what comes next: its collective {} is of kind {} with {} bytes, "
                    "here {} of kind {} with {} bytes",
                    from.peer(), header.number, header.kind, header.bytes, collectives_,
                    static_cast<std::uint32_t>(kind), values.nbytes()));
  }
  if (values.nbytes() > 0) from.receive(values.mutable_data_ptr(), values.nbytes(), patience_);
}

WorkPtr Tcp::all_reduce(at::Tensor values, ReduceOp op) {
  check_tensor("all_reduce", values);
  const std::lock_guard lock(mutex_);
  ++collectives_;
  if (rank() != 0) {
    send(rank_zero(), Kind::kAllReduce, values);
    receive(rank_zero(), Kind::kAllReduce, values);
    return done_already();
  }
  const at::Tensor theirs = at::empty_like(values);
  for (int other = 1; other < size(); ++other) {
    receive(connection(other), Kind::kAllReduce, theirs);
    reduce_into(values, theirs, op);
  }
  for (int other = 1; other < size(); ++other) send(connection(other), Kind::kAllReduce, values);
  return done_already();
}

WorkPtr Tcp::broadcast(at::Tensor values, int root) {
  check_tensor("broadcast", values);
  check_root("broadcast", root, size());
  const std::lock_guard lock(mutex_);
  ++collectives_;
  if (rank() != 0) {
    if (rank() == root) send(rank_zero(), Kind::kBroadcast, values);
    if (rank() != root) receive(rank_zero(), Kind::kBroadcast, values);
    return done_already();
  }
  if (root != 0) receive(connection(root), Kind::kBroadcast, values);
  for (int other = 1; other < size(); ++other) {
    if (other != root) send(connection(other), Kind::kBroadcast, values);
  }
  return done_already();
}

WorkPtr Tcp::reduce_scatter(at::Tensor output, at::Tensor input) {
  check_reduce_scatter(output, input, size());
  at::Tensor sum = input.clone();
  all_reduce(sum, ReduceOp::kSum);
  output.copy_(sum.view({-1}).narrow(0, rank() * output.numel(), output.numel()).view_as(output));
  return done_already();
}

WorkPtr Tcp::all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) {
  check_all_gather(output, input, counts, rank(), size());
  const std::lock_guard lock(mutex_);
  ++collectives_;
  if (rank() != 0) {
    send(rank_zero(), Kind::kAllGather, input);
    receive(rank_zero(), Kind::kAllGather, output);
    return done_already();
  }
  const std::vector<std::int64_t> offsets = offsets_of(counts);
  const at::Tensor all = output.view({-1});
  const auto part = [&](int of) {
    return all.narrow(0, offsets[static_cast<std::size_t>(of)], counts[static_cast<std::size_t>(of)]);
  };
  if (input.numel() > 0) std::memmove(part(0).mutable_data_ptr(), input.const_data_ptr(), input.nbytes());
  for (int other = 1; other < size(); ++other) receive(connection(other), Kind::kAllGather, part(other));
  for (int other = 1; other < size(); ++other) send(connection(other), Kind::kAllGather, output);
  return done_already();
}

WorkPtr Tcp::all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                        std::vector<std::int64_t> send_counts) {
  check_all_to_all(output, receive_counts, input, send_counts, rank(), size());
  const std::lock_guard lock(mutex_);
  ++collectives_;
  if (rank() != 0) {
    send(rank_zero(), Kind::kAllToAll, at::tensor(send_counts, at::kLong));
    send(rank_zero(), Kind::kAllToAll, input);
    receive(rank_zero(), Kind::kAllToAll, output);
    return done_already();
  }
  // Rank 0 carries every letter: it learns from each rank what it has for whom, and hands that on.
  std::vector<std::vector<at::Tensor>> letters;  // by sender, then by receiver
  letters.push_back(input.view({-1}).split_with_sizes(send_counts));
  for (int from = 1; from < size(); ++from) {
    const at::Tensor counts = at::empty({size()}, at::kLong);
    receive(connection(from), Kind::kAllToAll, counts);
    const at::Tensor theirs = at::empty({counts.sum().item<std::int64_t>()}, input.options());
    receive(connection(from), Kind::kAllToAll, theirs);
    const auto* first = counts.const_data_ptr<std::int64_t>();
    letters.push_back(theirs.split_with_sizes(at::IntArrayRef(first, static_cast<std::size_t>(size()))));
  }
  for (int to = 0; to < size(); ++to) {
    std::vector<at::Tensor> received;
    for (const auto& of_sender : letters) received.push_back(of_sender[static_cast<std::size_t>(to)]);
    const at::Tensor all = at::cat(received);
    if (to == 0) {
      output.copy_(all.view_as(output));
    } else {
      send(connection(to), Kind::kAllToAll, all);
    }
  }
  return done_already();
}

void Tcp::barrier() {
  const std::lock_guard lock(mutex_);
  ++collectives_;
  const at::Tensor nothing = at::empty({0}, at::kByte);
  if (rank() != 0) {
    send(rank_zero(), Kind::kBarrier, nothing);
    receive(rank_zero(), Kind::kBarrier, nothing);
    return;
  }
  for (int other = 1; other < size(); ++other) receive(connection(other), Kind::kBarrier, nothing);
  for (int other = 1; other < size(); ++other) send(connection(other), Kind::kBarrier, nothing);
}

void Tcp::watch(const Deadline& deadline) {
  const std::lock_guard lock(mutex_);
  patience_ = std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double>(deadline.seconds));
}

std::string Tcp::lost_rank() {
  for (const Socket& connection : connections_) {
    if (!connection.peer().empty() && connection.closed()) {
      return fmt::format("{} is gone: it has closed the connection", connection.peer());
    }
  }
  return "";
}

}  // namespace etude::comm
