#include "framework/evaluate/evaluator.h"

#include <algorithm>
#include <mutex>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "data/loader/grid_maker.h"
#include "framework/config/error.h"
#include "framework/evaluate/piece_context.h"

namespace etude::evaluate {
namespace {

/// Forgets what the lanes know whose sequence does not go on where they are.
void begin_pieces(models::Memory& memory, const data::TokenGrid& grid) {
  for (std::size_t row = 0; row < grid.sequences.size(); ++row) {
    if (!grid.sequences[row].continues) memory.heard[row] = 0;
  }
}

/// The targets of a batch, in the order of its cells.
struct Targets {
  std::vector<std::int64_t> cells;
  std::vector<Prediction> predictions;  ///< what is known of them before the model is asked
  at::Tensor forbidden;                 ///< bool [targets, vocabulary]: tokens that may not stand there
};

/// One thread's part in an evaluation.
struct Measurer {
  Measurer(models::Model& measured, const data::Pack& pack, const Selection& selection, std::int64_t length)
      : model(measured),
        maker(
            pack.vocabulary(),
            [&pack, split = selection.split](std::int64_t piece, std::int64_t begin, std::span<data::TokenId> out) {
              pack.read(split, piece, begin, out);
            },
            length),
        tally(pack.vocabulary(), std::ssize(pack.pieces(selection.split))) {
    for (std::int64_t row = 0; row < selection.rows; ++row) contexts.emplace_back(pack, selection.split);
  }

  Targets targets_of(const data::TokenGrid& grid);
  /// Counts one batch's targets.
  void evaluate(models::Memory& memory, const data::TokenGrid& grid);

  models::Model& model;
  data::GridMaker maker;
  std::vector<PieceContext> contexts;  ///< one per row, since the rows of a walk go on in their pieces
  Tally tally;
};

Targets Measurer::targets_of(const data::TokenGrid& grid) {
  Targets targets;
  std::vector<bool> allowed;
  std::vector<bool> forbidden;
  for (std::size_t cell = 0; cell < grid.targets.size(); ++cell) {
    if (grid.targets[cell] == data::kIgnored) continue;
    const auto row = static_cast<std::int64_t>(cell) / grid.columns,
               column = static_cast<std::int64_t>(cell) % grid.columns;
    const data::SequenceRef& sequence = grid.sequences[static_cast<std::size_t>(row)];
    PieceContext& context = contexts.at(static_cast<std::size_t>(row));
    const std::int64_t position = sequence.begin + column;
    context.move_to(sequence.piece, position + 1);
    context.next(allowed);
    for (const bool may : allowed) forbidden.push_back(!may);
    targets.cells.push_back(static_cast<std::int64_t>(cell));
    targets.predictions.push_back({.target = static_cast<data::TokenId>(grid.targets[cell]),
                                   .piece = sequence.piece,
                                   .position = position,
                                   .previous_pitch = context.previous_pitch()});
  }
  const auto count = std::ssize(targets.cells);
  targets.forbidden = at::empty({count, count > 0 ? std::ssize(forbidden) / count : 0}, at::kBool);
  std::copy(forbidden.begin(), forbidden.end(), targets.forbidden.mutable_data_ptr<bool>());
  return targets;
}

void Measurer::evaluate(models::Memory& memory, const data::TokenGrid& grid) {
  Targets targets = targets_of(grid);
  const at::Device device = models::device_of(model);
  const auto there = [&](const std::vector<std::int64_t>& numbers, at::IntArrayRef shape) {
    return at::from_blob(const_cast<std::int64_t*>(numbers.data()), shape, at::TensorOptions().dtype(at::kLong))
        .to(device);
  };
  const auto here = [](const at::Tensor& values) { return values.cpu().contiguous(); };
  const at::Tensor cells = there(targets.cells, {std::ssize(targets.cells)});
  const at::Tensor hidden = model.hidden(there(grid.inputs, {grid.rows, grid.columns}), memory, nullptr);
  const at::Tensor logits = model.logits(hidden.flatten(0, 1).index_select(0, cells));  // [targets, vocabulary]
  const at::Tensor expected = there(grid.targets, {grid.rows * grid.columns}).index_select(0, cells).unsqueeze(-1);
  const at::Tensor of_target = logits.gather(-1, expected);
  const at::Tensor normalizer = at::logsumexp(logits, -1, true);
  const at::Tensor nll = here((normalizer - of_target).squeeze(-1));
  const at::Tensor likelier = here(logits.gt(of_target).sum(-1));
  const auto [best, at_best] = logits.max(-1, true);
  const at::Tensor predicted = here(at_best.squeeze(-1));
  const at::Tensor confidence = here((best - normalizer).exp().squeeze(-1));
  const at::Tensor forbidden =
      here((logits - normalizer).exp().masked_fill(targets.forbidden.to(device).logical_not(), 0).sum(-1));

  const std::int64_t vocabulary = logits.size(-1);
  const bool* may_not = targets.forbidden.const_data_ptr<bool>();
  for (std::size_t i = 0; i < targets.predictions.size(); ++i) {
    Prediction& prediction = targets.predictions[i];
    prediction.predicted = static_cast<data::TokenId>(predicted.const_data_ptr<std::int64_t>()[i]);
    prediction.likelier = likelier.const_data_ptr<std::int64_t>()[i];
    prediction.nll = nll.const_data_ptr<float>()[i];
    prediction.confidence = confidence.const_data_ptr<float>()[i];
    prediction.allowed = !may_not[static_cast<std::int64_t>(i) * vocabulary + prediction.predicted];
    prediction.forbidden = forbidden.const_data_ptr<float>()[i];
    tally.count(prediction);
  }
}

void check(const models::Model& model, const data::Pack& pack, const Selection& selection) {
  if (pack.pieces(selection.split).empty()) {
    throw UsageError(
        fmt::format("{}: its {} split holds no piece to evaluate on; pack more music, or give 'etude pack' "
                    "larger --validation and --test shares",
                    pack.folder().string(), data::to_string(selection.split)));
  }
  if (const std::int64_t length = request_for(model, selection).length; length > model.context()) {
    throw UsageError(fmt::format("this {} model sees at most {} tokens at once, so it cannot be measured with {}",
                                 model.kind(), model.context(), length));
  }
  if (selection.memory) model.initial_memory(1, selection.memory);  // throws where it cannot be chosen
}

}  // namespace

data::EvaluationRequest request_for(const models::Model& model, const Selection& selection) {
  const bool slides = selection.window > 0;
  return {.walking = slides              ? data::Walking::kSliding
                     : model.remembers() ? data::Walking::kSegments
                                         : data::Walking::kSequences,
          .length = slides ? selection.window : selection.sequence_length,
          .rows = selection.rows,
          .sequences = selection.batches * selection.rows,
          .tokens = selection.tokens};
}

std::int64_t sequences_in(const data::Pack& pack, const models::Model& model, const Selection& selection) {
  return data::make_evaluation_plan(pack.pieces(selection.split), request_for(model, selection))->sequences();
}

std::int64_t heard_in_training(const models::Model& model, std::int64_t sequence_length) {
  const std::vector<at::Tensor> memory = model.initial_memory(1).tensors;
  const std::int64_t remembered = memory.empty() ? 0 : memory.front().size(1);
  return std::min(sequence_length + remembered, model.context());
}

Tally evaluate(const std::vector<models::Model*>& models, const data::Pack& pack, const Selection& selection,
               comm::Communicator& communicator, parallel::WorkerPool& workers,
               const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(*models.front(), pack, selection);
  const data::EvaluationRequest request = request_for(*models.front(), selection);
  const auto plan = data::make_evaluation_plan(pack.pieces(selection.split), request);
  std::vector<std::unique_ptr<Measurer>> measurers;
  for (int i = 0; i < workers.threads(); ++i) {
    measurers.push_back(
        std::make_unique<Measurer>(*models.at(static_cast<std::size_t>(i)), pack, selection, request.length));
  }

  // In turn, since walks that lie side by side are of about one length.
  std::vector<std::int64_t> mine;
  std::int64_t batches = 0, done = 0;
  for (std::int64_t walk = communicator.rank(); walk < plan->walks(); walk += communicator.size()) {
    mine.push_back(walk);
    batches += plan->batches_of(walk);
  }
  std::mutex mutex;
  workers.run(std::ssize(mine), [&](int worker, std::int64_t i) {
    const c10::InferenceMode no_gradients;
    Measurer& measurer = *measurers[static_cast<std::size_t>(worker)];
    models::Memory memory = measurer.model.initial_memory(request.rows, selection.memory);
    for (const std::vector<data::SequenceRef>& sequences : plan->walk(mine[static_cast<std::size_t>(i)])) {
      const data::TokenGrid grid = measurer.maker.make(sequences);
      begin_pieces(memory, grid);
      measurer.evaluate(memory, grid);
      const std::lock_guard lock(mutex);
      if (progress) progress(++done, batches);
    }
  });

  Tally total(pack.vocabulary(), std::ssize(pack.pieces(selection.split)));
  for (const auto& measurer : measurers) total.add(measurer->tally);
  std::vector<std::int64_t>& values = total.values();
  communicator
      .all_reduce(at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kLong),
                  comm::ReduceOp::kSum)
      ->wait();
  return total;
}

}  // namespace etude::evaluate
