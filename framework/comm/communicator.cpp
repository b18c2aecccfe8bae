#include "framework/comm/communicator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include <ATen/ops/empty.h>

namespace etude::comm {
namespace {

at::Tensor tensor_of(const std::string& text) {
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
  if (!text.empty()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

at::Tensor length_of(const std::string& text) {
  at::Tensor length = at::empty({1}, at::kLong);
  *length.data_ptr<std::int64_t>() = static_cast<std::int64_t>(text.size());
  return length;
}

}  // namespace

void Communicator::abort(int code) {
  std::fflush(nullptr);
  std::_Exit(code);  // without destructors: other threads may still be at work on what they would destroy
}

std::string broadcast_text(Communicator& communicator, const std::string& text, int root) {
  at::Tensor length = length_of(text);
  communicator.broadcast(length, root)->wait();
  const bool is_root = communicator.rank() == root;
  at::Tensor bytes = is_root ? tensor_of(text) : at::empty({*length.data_ptr<std::int64_t>()}, at::kByte);
  communicator.broadcast(bytes, root)->wait();
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())};
}

std::vector<std::string> all_gather_text(Communicator& communicator, const std::string& text) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  at::Tensor gathered_lengths = at::empty({communicator.size()}, at::kLong);
  communicator.all_gather(gathered_lengths, length_of(text), std::vector<std::int64_t>(ranks, 1))->wait();

  const auto* first = gathered_lengths.data_ptr<std::int64_t>();
  const std::vector<std::int64_t> lengths(first, first + ranks);
  at::Tensor bytes = at::empty({std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})}, at::kByte);
  communicator.all_gather(bytes, tensor_of(text), lengths)->wait();

  std::vector<std::string> texts;
  const auto* next = static_cast<const char*>(bytes.data_ptr());
  for (const std::int64_t length : lengths) {
    texts.emplace_back(next, static_cast<std::size_t>(length));
    next += length;
  }
  return texts;
}

}  // namespace etude::comm
