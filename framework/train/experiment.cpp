#include "framework/train/experiment.h"

#include <fmt/format.h>

#include "framework/config/document.h"

namespace etude::train {

void describe(config::Section& section, Experiment& experiment) {
  section.text("name", experiment.name, "What the run is called.");
  section.path("run", experiment.run, "The run folder, where everything the run makes is written; default runs/NAME.");
  section.integer("seed", experiment.seed_value, {0, std::numeric_limits<std::int64_t>::max()},
                  "Decides the initial weights, the order of the data, transpositions and dropout.");
  data::describe(section.section("data", "What to learn from."), experiment.data);
  models::describe(section.section("model", "The architecture."), experiment.model);
  describe(section.section("train", "How to learn."), experiment.train);
  evaluate::describe(section.section("evaluate", "Measuring on the validation split while training."),
                     experiment.evaluate);
  checkpoint::describe(section.section("checkpoint", "What is kept on disk."), experiment.checkpoint);
  describe(section.section("stop", "When training ends early, and with which weights."), experiment.stop);
  track::describe(section.section("track", "Who is told of the run while it trains; changes nothing about the run."),
                  experiment.track);
}

Experiment load_experiment(const std::filesystem::path& file, const std::vector<std::string>& assignments) {
  Experiment experiment;
  config::Section root;
  describe(root, experiment);
  config::load(root, file, assignments);

  std::vector<std::string> complaints;
  const auto complain = [&](const std::string& what) {
    complaints.push_back(fmt::format("{}: {}", file.string(), what));
  };
  const TrainOptions& train = experiment.train;
  if (experiment.data.pack.empty()) complain("data.pack is missing: the folder that 'etude pack' made");
  if (experiment.name.empty() && experiment.run.empty()) complain("name is missing: it names the run folder runs/NAME");
  if (train.global_batch % train.micro_batch != 0) {
    complain(fmt::format("train.global_batch ({}) is no multiple of train.micro_batch ({})", train.global_batch,
                         train.micro_batch));
  }
  if (train.min_lr > train.lr)
    complain(fmt::format("train.min_lr ({}) is above train.lr ({})", train.min_lr, train.lr));
  for (const std::string& complaint : track::complaints(experiment.track)) complain(complaint);
  if (!complaints.empty()) throw config::ConfigError(complaints);
  if (experiment.run.empty()) experiment.run = std::filesystem::path("runs") / experiment.name;
  if (experiment.name.empty()) experiment.name = experiment.run.filename().string();
  return experiment;
}

std::vector<std::pair<std::string, std::string>> settings(const Experiment& experiment) {
  Experiment copy = experiment;
  config::Section root;
  describe(root, copy);
  return config::settings(root);
}

std::string to_yaml(const Experiment& experiment) {
  Experiment copy = experiment;  // describing binds to fields that could be written
  config::Section root;
  describe(root, copy);
  return config::to_yaml(root);
}

}  // namespace etude::train
