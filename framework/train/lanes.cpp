#include "framework/train/lanes.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "framework/checkpoint/weights.h"

namespace etude::train {
namespace {

constexpr const char* kHeard = "heard";

std::string name_of_memory(std::size_t index) { return fmt::format("memory.{}", index); }

}  // namespace

Lanes::Lanes(const models::Model& model, std::int64_t grains, std::int64_t rows, int rank, int ranks)
    : model_(model), grains_(grains), rows_(rows), mine_(parallel::grains_of_rank(grains, rank, ranks)) {
  for (std::int64_t grain = mine_.begin; grain < mine_.end; ++grain) memories_.push_back(model.initial_memory(rows));
}

models::Memory& Lanes::memory_for(std::int64_t grain, const data::TokenGrid& segments) {
  models::Memory& memory = memory_of(grain);
  for (std::size_t row = 0; row < segments.sequences.size(); ++row) {
    if (!segments.sequences[row].continues) memory.heard[row] = 0;
  }
  return memory;
}

void Lanes::forget(std::int64_t grain) { memory_of(grain) = model_.initial_memory(rows_); }

at::Tensor Lanes::gather(comm::Communicator& communicator, const at::Tensor& own) const {
  const bool first = communicator.rank() == 0;
  const std::int64_t values = own.numel() / own.size(0);  // of a lane
  std::vector<std::int64_t> receive(static_cast<std::size_t>(communicator.size())), send(receive);
  send[0] = own.numel();
  for (int rank = 0; first && rank < communicator.size(); ++rank) {
    receive[static_cast<std::size_t>(rank)] =
        parallel::grains_of_rank(grains_, rank, communicator.size()).size() * rows_ * values;
  }
  std::vector<std::int64_t> shape = own.sizes().vec();
  shape[0] = first ? grains_ * rows_ : 0;
  at::Tensor all = at::empty(shape, own.options());
  communicator.all_to_all(all.view({-1}), receive, own.view({-1}), send)->wait();
  return all;
}

models::NamedTensors Lanes::gather(comm::Communicator& communicator) const {
  const comm::Label label("memory of the lanes");
  std::vector<at::Tensor> heard;
  for (const models::Memory& memory : memories_) heard.push_back(at::tensor(memory.heard, at::kLong));
  models::NamedTensors all{{kHeard, gather(communicator, at::cat(heard))}};
  for (std::size_t i = 0; i < memories_.front().tensors.size(); ++i) {
    std::vector<at::Tensor> own;
    for (const models::Memory& memory : memories_) own.push_back(memory.tensors[i]);
    all.emplace_back(name_of_memory(i), gather(communicator, at::cat(own)));
  }
  return communicator.rank() == 0 ? all : models::NamedTensors{};
}

void Lanes::load(const models::NamedTensors& all, const std::string& place) {
  models::NamedTensors known{{kHeard, at::empty({grains_ * rows_}, at::kLong)}};
  const std::vector<at::Tensor>& like = memories_.front().tensors;
  for (std::size_t i = 0; i < like.size(); ++i) {
    std::vector<std::int64_t> shape = like[i].sizes().vec();
    shape[0] = grains_ * rows_;
    known.emplace_back(name_of_memory(i), at::empty(shape, like[i].options().device(at::kCPU)));
  }
  checkpoint::copy_by_name(known, all, place);
  for (std::int64_t grain = mine_.begin; grain < mine_.end; ++grain) {
    models::Memory& memory = memory_of(grain);
    const auto rows = [&](const at::Tensor& of_all) { return of_all.narrow(0, grain * rows_, rows_); };
    const std::int64_t* heard = known.front().second.const_data_ptr<std::int64_t>() + grain * rows_;
    memory.heard.assign(heard, heard + rows_);
    for (std::size_t i = 0; i < memory.tensors.size(); ++i) {
      memory.tensors[i] = rows(known[i + 1].second).to(like[i].device(), like[i].scalar_type(), false, /*copy=*/true);
    }
  }
}

}  // namespace etude::train
