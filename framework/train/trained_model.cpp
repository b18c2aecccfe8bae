#include "framework/train/trained_model.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/checkpoint/snapshot.h"
#include "framework/checkpoint/store.h"
#include "framework/checkpoint/weights.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::train {

namespace fs = std::filesystem;

constexpr const char* kWeights = "model.safetensors";

std::unique_ptr<data::Tokenizer> load_tokenizer(const run::RunFolder& folder) {
  const std::string file = folder.tokenizer().string();
  try {
    return data::make_tokenizer(nlohmann::json::parse(files::read(file)), file);
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: {} (copy it from another run on the same pack)", file, error.what()));
  }
}

TrainedModel load_trained(const run::RunFolder& folder, const std::string& which) {
  TrainedModel trained;
  trained.experiment = load_experiment(folder.config());
  trained.tokenizer = load_tokenizer(folder);
  trained.checkpoint = checkpoint::find_checkpoint(folder.checkpoints(), which);
  trained.step = checkpoint::read_manifest(trained.checkpoint).step;
  trained.model = models::make_model(trained.experiment.model, trained.tokenizer->vocabulary().size(),
                                     trained.experiment.data.sequence_length, trained.experiment.seed());
  checkpoint::load_weights(*trained.model, checkpoint::read_weights(trained.checkpoint), trained.checkpoint.string());
  return trained;
}

fs::path find_initial_checkpoint(const fs::path& place) {
  if (fs::exists(place / "manifest.json") || fs::exists(place / kWeights)) return place;
  const fs::path checkpoints = run::open_run(place).checkpoints();
  return checkpoint::find_checkpoint(checkpoints, fs::exists(checkpoints / "best") ? "best" : "");
}

models::NamedTensors read_initial_weights(const fs::path& folder) {
  if (fs::exists(folder / "manifest.json")) return checkpoint::read_weights(folder);
  return models::read_safetensors(folder / kWeights);
}

}  // namespace etude::train
