#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/train/experiment.h"
#include "models/model.h"

namespace etude::train {

/// What a run will take, known before anything is trained.
struct Forecast {
  std::string kind;
  std::int64_t vocabulary = 0;
  std::vector<std::pair<std::string, std::int64_t>> parameters_of_parts;  ///< in the order in which the model has them
  std::int64_t parameters = 0;

  // Bytes that every rank holds, whatever it computes; activations come on top.
  std::int64_t weights = 0;    ///< the float32 ones and, in bfloat16, those that are computed with
  std::int64_t gradients = 0;  ///< one set; each thread that computes takes another
  std::int64_t moments = 0;    ///< of the optimizer
  std::int64_t lanes = 0;      ///< what the lanes of all ranks remember, divided among the ranks

  double training_flops = 0;    ///< floating-point operations per token, forward and backward
  double evaluation_flops = 0;  ///< per token, forward

  std::int64_t segment = 0;           ///< tokens heard at a time
  std::int64_t remembered = 0;        ///< hidden states that a lane keeps, over all layers
  std::optional<std::int64_t> reach;  ///< see Model::reach

  std::int64_t tokens_per_step = 0;   ///< at most
  std::optional<std::int64_t> steps;  ///< nothing where only the pack could tell
  std::optional<double> epochs;       ///< nothing without the pack
};

/// `model`: what make_model gives for the experiment. `pack`: what it learns from, or null where that is not there.
Forecast forecast(const Experiment& experiment, const models::Model& model, const data::Pack* pack);

}  // namespace etude::train
