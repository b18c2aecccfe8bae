#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace etude::testing {

/// A piece of a split, and how a run fared on it.
struct MeasuredPiece {
  std::string id;
  double nll = 0;
  double notes = 100;
  double tokens = 400;
  double seconds = 30;
};

/// A run folder to be written in the formats of docs/formats.md, with figures that are made up.
struct RunFolderSpec {
  std::string kind = "gpt2";
  int width = 256;
  int seed = 1;
  std::string pack = "packs/demo";
  std::string split = "test";  ///< key in evaluation.json; empty: none is written
  std::string split_hash = "aaaa";
  int velocities = 32;  ///< of the tokenizer
  std::vector<MeasuredPiece> pieces = {};
  int steps = 100;
  int done = 100;  ///< steps that metrics.jsonl has
  bool finished = true;
};

/// Pieces that all runs find equally hard, with a run's own level, seed and noise on top, in nats per note.
inline std::vector<MeasuredPiece> pieces_at(double level, std::size_t count = 40, double noise = 0.05,
                                            std::uint64_t seed = 1) {
  std::mt19937_64 music(99), own(seed);
  std::normal_distribution<double> hardness(0, 0.5), luck(0, noise);
  std::uniform_int_distribution<int> size(50, 400);
  std::vector<MeasuredPiece> pieces = {};
  for (std::size_t i = 0; i < count; ++i) {
    const double notes = size(music), per_note = level + hardness(music) + luck(own);
    pieces.push_back({fmt::format("piece-{:03}", i), per_note * notes, notes, 4 * notes, notes / 3});
  }
  return pieces;
}

inline nlohmann::json evaluation_of(const RunFolderSpec& spec) {
  double nll = 0, notes = 0, tokens = 0, seconds = 0;
  nlohmann::json pieces = nlohmann::json::array();
  for (const MeasuredPiece& piece : spec.pieces) {
    nll += piece.nll, notes += piece.notes, tokens += piece.tokens, seconds += piece.seconds;
    pieces.push_back({{"id", piece.id},
                      {"file", piece.id + ".mid"},
                      {"title", piece.id},
                      {"composer", "Anon."},
                      {"seconds", piece.seconds},
                      {"tokens", piece.tokens},
                      {"notes", piece.notes},
                      {"nll", piece.nll}});
  }
  const auto matrix = nlohmann::json{{90, 10}, {20, 80}};
  return {{"step", spec.done},
          {"pack", "hash-of-pack"},
          {"split_hash", spec.split_hash},
          {"tokenizer", "remi"},
          {"tokens", tokens},
          {"notes", notes},
          {"seconds", seconds},
          {"loss", nll / tokens},
          {"loss_per_note", nll / notes},
          {"loss_per_second", nll / seconds},
          {"perplexity", std::exp(nll / tokens)},
          {"top1", 0.5},
          {"top5", 0.9},
          {"pieces", pieces},
          {"by_composer",
           {{"Anon.",
             {{"pieces", pieces.size()},
              {"tokens", tokens},
              {"notes", notes},
              {"loss", nll / tokens},
              {"loss_per_note", nll / notes}}}}},
          {"by_family",
           {{"Pitch", {{"tokens", tokens / 4}, {"loss", 2.0}, {"perplexity", 7.4}, {"top1", 0.4}, {"top5", 0.8}}}}},
          {"by_position",
           {{{"from", 0}, {"to", 15}, {"tokens", 64}, {"loss", 2.5}},
            {{"from", 16}, {"to", 31}, {"tokens", 64}, {"loss", 2.0}}}},
          {"calibration", {{"error", 0.02}, {"bins", nlohmann::json::array()}}},
          {"grammar", {{"errors", 0.001}, {"mass", 0.002}}},
          {"confusion",
           {{"families", {{"names", {"Bar", "Pitch"}}, {"counts", matrix}}},
            {"pitches", {{"lowest", 60}, {"counts", {{5, 1, 0}, {2, 6, 1}}}}}}}};
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// Losses that fall as 5 / sqrt(step), a line every ten steps, and an evaluation every fifty.
inline std::string metrics_of(const RunFolderSpec& spec) {
  std::string text;
  for (int step = 10; step <= spec.done; step += 10) {
    text += fmt::format(
        "{{\"epoch\":0.1,\"loss\":{},\"lr\":0.001,\"norm\":1.5,\"seconds\":{},\"step\":{},\"steps\":{},"
        "\"tokens\":{},\"tokens_per_second\":1000.0}}\n",
        5 / std::sqrt(step), 0.5 * step, step, spec.steps, 500 * step);
    if (step % 50 != 0) continue;
    text += fmt::format(
        "{{\"epoch\":0.1,\"eval_loss\":{0},\"eval_loss_per_note\":{1},\"eval_perplexity\":9.0,"
        "\"eval_tokens\":1000,\"eval_top1\":0.4,\"eval_top5\":0.8,\"step\":{2}}}\n",
        5.2 / std::sqrt(step), 20.8 / std::sqrt(step), step);
  }
  return text;
}

inline void write_run(const std::filesystem::path& folder, const RunFolderSpec& spec) {
  write_text(folder / "config.yaml",
             fmt::format(
                 "name: made-up\nrun: {}\nseed: {}\ndata:\n  pack: {}\n  sequence_length: 64\n"
                 "  transpose:\n    semitones: [-5, 6]\n    where: {{}}\nmodel:\n  kind: {}\n  layers: 2\n  width: {}\n"
                 "train:\n  steps: {}\n  lr: 1.0e-03\n  init_from: \"\"\n",
                 folder.string(), spec.seed, spec.pack, spec.kind, spec.width, spec.steps));
  write_text(folder / "environment.json",
             R"({"etude": "0.1.0", "device": "CPU", "ranks": 2, "threads_per_rank": 4, "parameters": 1234567,
                 "flops_per_token": 6.0e6, "host": "somewhere"})");
  write_text(folder / "tokenizer.json", fmt::format(R"({{"kind": "remi", "num_velocities": {}}})", spec.velocities));
  write_text(folder / "metrics.jsonl", metrics_of(spec));
  if (!spec.split.empty()) {
    write_text(folder / "evaluation.json", nlohmann::json{{spec.split, evaluation_of(spec)}}.dump(1));
  }
  if (!spec.finished) return;
  std::filesystem::create_directories(folder / "checkpoints");
  std::filesystem::create_directory_symlink("step-00000100", folder / "checkpoints" / "final");
}

}  // namespace etude::testing
