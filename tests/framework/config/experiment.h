#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/config/document.h"

namespace etude::config {

enum class Schedule { kCosine, kLinear, kConstant };

/// An experiment as a user would write it, with every kind of option there is.
struct Experiment {
  std::string name = "demo";
  bool quiet = false;
  double lr = 3e-4;
  std::int64_t steps = 1000;
  Schedule schedule = Schedule::kCosine;
  std::filesystem::path pack = "packs/piano";
  std::vector<std::int64_t> semitones = {0, 0};
  std::vector<std::int64_t> ranks;
  std::map<std::string, std::string> where;
  std::string kind = "gpt2";
  std::int64_t gpt2_layers = 6;
  std::int64_t xl_layers = 12;
  std::int64_t memory = 512;
  double memory_decay = 0.5;
};

inline void describe(Section& root, Experiment& e) {
  root.text("name", e.name, "What the run is called.");
  root.boolean("quiet", e.quiet, "Whether to print nothing but errors.");
  Section& data = root.section("data", "What is learnt from.");
  data.path("pack", e.pack, "Folder of the pack.");
  Section& transpose = data.section("transpose", "Other keys for the same pieces.");
  transpose.integers("semitones", e.semitones, {-24, 24}, 2, "Lowest and highest shift.");
  transpose.texts("where", e.where, "Only pieces with these labels.");
  Section& train = root.section("train", "How it is learnt.");
  train.integer("steps", e.steps, {1, 1'000'000'000}, "Optimizer steps.");
  train.number("lr", e.lr, {0.0, 10.0}, "Learning rate at its highest.");
  train.choice("schedule", e.schedule,
               {{"cosine", Schedule::kCosine}, {"linear", Schedule::kLinear}, {"constant", Schedule::kConstant}},
               "How the learning rate falls after its warm-up, which is counted in steps and starts from nothing.");
  train.integers("ranks", e.ranks, {0, 4095}, 0, "Ranks that take part.");
  const auto gpt2 = [&e](Section& model) { model.integer("layers", e.gpt2_layers, {1, 96}, "Blocks."); };
  const auto xl = [&e](Section& model) {
    model.integer("layers", e.xl_layers, {1, 24}, "Blocks.");
    model.integer("memory", e.memory, {0, 8192}, "Tokens remembered.");
    model.section("forget", "How memory fades.").number("decay", e.memory_decay, {0.0, 1.0}, "Share kept.");
  };
  root.section("model", "What learns.").variant("kind", e.kind, {{"gpt2", gpt2}, {"xl", xl}}, "The architecture.");
}

}  // namespace etude::config
