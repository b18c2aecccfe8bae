#include "framework/log/tensorboard/tensorboard.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/log/tensorboard/heat_map.h"
#include "framework/log/tensorboard/piano_roll.h"
#include "framework/log/tensorboard/summary.h"

namespace etude::tensorboard {
namespace {

/// "eval_loss" of metrics.jsonl is eval/loss, "loss" is train/loss.
std::string tag_of(std::string name, std::string_view group) {
  std::ranges::replace(name, '.', '/');
  return fmt::format("{}/{}", group, name);
}

void add_parts(EventFile& file, const log::Figures& figures, const nlohmann::json& whole) {
  const auto add = [&](const std::string& tag, const nlohmann::json& part) {
    const auto loss = part.find("loss");
    if (loss != part.end() && loss->is_number()) file.add(figures.step, figures.time, scalar(tag, loss->get<double>()));
  };
  if (const auto families = whole.find("by_family"); families != whole.end()) {
    for (const auto& [name, part] : families->items()) add("eval_by_family/" + name, part);
  }
  if (const auto stretches = whole.find("by_position"); stretches != whole.end()) {
    // With zeros in front, for TensorBoard sorts by name.
    for (const auto& part : *stretches) {
      add(fmt::format("eval_by_position/{:06}-{:06}", part.at("from").get<std::int64_t>(),
                      part.at("to").get<std::int64_t>()),
          part);
    }
  }
  if (const auto confusion = whole.find("confusion"); confusion != whole.end()) {
    for (const auto& [name, matrix] : confusion->items()) {
      if (matrix.at("counts").empty()) continue;
      file.add(figures.step, figures.time, image("confusion/" + name, heat_map(name, matrix)));
    }
  }
}

std::string table(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string text = "| | |\n| --- | --- |\n";
  for (const auto& [name, value] : rows) text += fmt::format("| {} | {} |\n", name, value);
  return text;
}

}  // namespace

TensorBoard::TensorBoard(std::filesystem::path folder, std::function<void(const std::string&)> warn)
    : folder_(std::move(folder)), warn_(std::move(warn)) {}

void TensorBoard::attempt(const std::function<void()>& action) {
  try {
    action();
    if (file_) file_->flush();
  } catch (const std::exception& error) {
    file_.reset();
    warn_(fmt::format("track.tensorboard: {}; training goes on, and nothing more is written for TensorBoard",
                      error.what()));
  }
}

void TensorBoard::begin(const log::RunFacts& facts) {
  attempt([&] {
    const double time = log::seconds_since_1970();
    file_.emplace(folder_, facts.done, time);
    last_step_ = facts.done;
    file_->add(facts.done, time, text("config", fmt::format("```\n{}```\n", facts.config)));
    file_->add(facts.done, time, text("circumstances", table(facts.circumstances)));
    file_->add(facts.done, time, hyperparameters(facts.settings, facts.name, time));
  });
}

void TensorBoard::step(const log::Figures& figures) {
  if (!file_) return;
  attempt([&] {
    last_step_ = figures.step;
    for (const auto& [name, value] : figures.values) {
      file_->add(figures.step, figures.time, scalar(tag_of(name, "train"), value));
    }
  });
}

void TensorBoard::evaluation(const log::Figures& figures, const nlohmann::json& whole) {
  if (!file_) return;
  attempt([&] {
    constexpr std::string_view kPrefix = "eval_";
    for (const auto& [name, value] : figures.values) {
      const std::string plain = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
      file_->add(figures.step, figures.time, scalar(tag_of(plain, "eval"), value));
    }
    add_parts(*file_, figures, whole);
  });
}

void TensorBoard::weights(std::int64_t step, double time, const std::map<std::string, log::Distribution>& groups) {
  if (!file_) return;
  attempt([&] {
    for (const auto& [name, distribution] : groups) {
      file_->add(step, time, histogram("weights/" + name, distribution));
      file_->add(step, time, scalar("weights_norm/" + name, std::sqrt(distribution.sum_of_squares())));
    }
  });
}

void TensorBoard::piece(std::int64_t step, double time, const log::PlayedPiece& piece) {
  if (!file_) return;
  attempt([&] {
    file_->add(step, time, image("piece/roll", piano_roll(piece)));
    if (piece.sound) file_->add(step, time, sound("piece/sound", *piece.sound));
  });
}

void TensorBoard::end(log::State state) {
  if (!file_) return;
  attempt([&] {
    file_->add(last_step_, log::seconds_since_1970(),
               session_end(state != log::State::kFailed, log::seconds_since_1970()));
  });
  file_.reset();
}

}  // namespace etude::tensorboard
