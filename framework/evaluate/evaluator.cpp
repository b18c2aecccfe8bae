#include "framework/evaluate/evaluator.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/parallel/grains.h"

namespace etude::evaluate {
namespace {

/// Counts one grain's targets into `tally`.
void evaluate_grain(models::Model& model, const data::TokenGrid& grain, Tally& tally) {
  if (grain.counted == 0) return;
  const c10::InferenceMode no_gradients;
  const auto options = at::TensorOptions().dtype(at::kLong);
  const std::vector<std::int64_t> shape{grain.rows, grain.columns};
  const at::Device device = models::device_of(model);
  const auto there = [&](const std::vector<std::int64_t>& numbers) {
    return at::from_blob(const_cast<std::int64_t*>(numbers.data()), shape, options).to(device);
  };
  const at::Tensor tokens = there(grain.inputs), targets = there(grain.targets);

  models::Memory memory = model.initial_memory(grain.rows);
  const at::Tensor logits = model.logits(model.hidden(tokens, memory, nullptr));  // [rows, columns, vocabulary]
  const at::Tensor expected = targets.clamp_min(0).unsqueeze(-1);
  const at::Tensor of_target = logits.gather(-1, expected);
  const at::Tensor nll = (at::logsumexp(logits, -1, true) - of_target).squeeze(-1).cpu().contiguous();
  const at::Tensor likelier = logits.gt(of_target).sum(-1).cpu().contiguous();
  const at::Tensor predicted = logits.argmax(-1).cpu().contiguous();

  const float* nll_data = nll.const_data_ptr<float>();
  const std::int64_t* likelier_data = likelier.const_data_ptr<std::int64_t>();
  const std::int64_t* predicted_data = predicted.const_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < grain.targets.size(); ++i) {
    if (grain.targets[i] == data::kIgnored) continue;
    tally.count(static_cast<data::TokenId>(grain.targets[i]), static_cast<data::TokenId>(predicted_data[i]),
                likelier_data[i], nll_data[i]);
  }
}

/// Work is dealt in steps of this many grains, so that every rank and thread has some.
constexpr std::int64_t kGrainsPerStep = 64;

}  // namespace

Tally evaluate(const std::vector<models::Model*>& models, const data::Pack& pack, const Selection& selection,
               comm::Communicator& communicator, parallel::WorkerPool& workers,
               const std::function<void(std::int64_t, std::int64_t)>& progress) {
  if (pack.pieces(selection.split).empty()) {
    throw UsageError(
        fmt::format("{}: its {} split holds no piece to evaluate on; pack more music, or give 'etude pack' "
                    "larger --validation and --test shares",
                    pack.folder().string(), data::to_string(selection.split)));
  }
  const auto plan = data::make_evaluation_plan(pack, selection.split, selection.sequence_length, selection.rows);
  const std::int64_t whole = (plan->sequences_per_epoch() + selection.rows - 1) / selection.rows;
  const std::int64_t grains = selection.batches > 0 ? std::min(selection.batches, whole) : whole;

  const parallel::GrainRange mine = parallel::grains_of_rank(grains, communicator.rank(), communicator.size());
  std::vector<Tally> tallies(static_cast<std::size_t>(workers.threads()), Tally(pack.vocabulary()));
  // One grain a step of the plan: this rank's are the steps [begin, end).
  data::Loader loader(pack, selection.split, *plan, selection.rows, {0, 1}, mine.begin, kGrainsPerStep);
  for (std::int64_t at = mine.begin; at < mine.end; at += kGrainsPerStep) {
    std::vector<data::TokenGrid> loaded;
    while (static_cast<std::int64_t>(loaded.size()) < std::min(kGrainsPerStep, mine.end - at)) {
      loaded.push_back(std::move(loader.next().grains.front()));
    }
    workers.run(static_cast<std::int64_t>(loaded.size()), [&](int worker, std::int64_t i) {
      evaluate_grain(*models.at(static_cast<std::size_t>(worker)), loaded[static_cast<std::size_t>(i)],
                     tallies[static_cast<std::size_t>(worker)]);
    });
    if (progress) progress(std::min(at + kGrainsPerStep, mine.end) - mine.begin, mine.end - mine.begin);
  }

  Tally total(pack.vocabulary());
  for (const Tally& tally : tallies) total.add(tally);
  std::vector<std::int64_t>& values = total.values();
  communicator
      .all_reduce(at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kLong),
                  comm::ReduceOp::kSum)
      ->wait();
  return total;
}

}  // namespace etude::evaluate
