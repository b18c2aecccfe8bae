#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/tokenizer/tokenizer.h"
#include "framework/run/run_folder.h"
#include "framework/train/experiment.h"
#include "models/model.h"
#include "models/safetensors.h"

namespace etude::train {

/// A model that a run made, with what is needed to measure it or to make music with it.
struct TrainedModel {
  Experiment experiment;
  std::unique_ptr<data::Tokenizer> tokenizer;
  std::unique_ptr<models::Model> model;
  std::filesystem::path checkpoint;
  std::int64_t step = 0;
};

/// `which`: "best", "last", "final", a step's number, or empty for final, else last. Throws UsageError when the run or
/// the checkpoint is not there, Error when something in it is damaged.
TrainedModel load_trained(const run::RunFolder& folder, const std::string& which = "");

/// The folder with the weights that train.init_from names: a checkpoint itself, a run folder (its best, else final or
/// last), or what transformers' save_pretrained wrote.
std::filesystem::path find_initial_checkpoint(const std::filesystem::path& place);

/// The weights in there; those of a checkpoint are compared with their hash.
models::NamedTensors read_initial_weights(const std::filesystem::path& folder);

/// The tokenizer a run was trained with. Throws Error naming the file.
std::unique_ptr<data::Tokenizer> load_tokenizer(const run::RunFolder& folder);

}  // namespace etude::train
