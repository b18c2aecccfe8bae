#include "framework/evaluate/metrics.h"

#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::evaluate {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double mean(double sum, std::int64_t count) { return count == 0 ? 0.0 : sum / static_cast<double>(count); }

nlohmann::json group_json(const Tally::Group& group) {
  return {{"tokens", group.tokens},
          {"loss", mean(group.nll, group.tokens)},
          {"perplexity", std::exp(mean(group.nll, group.tokens))},
          {"top1", share(group.top1, group.tokens)},
          {"top5", share(group.top5, group.tokens)}};
}

std::string row(const std::string& name, const Tally::Group& group) {
  const double loss = mean(group.nll, group.tokens);
  return fmt::format("  {:<14} {:>10} {:>8.4f} {:>10.2f} {:>7.1f} {:>7.1f}\n", name, group.tokens, loss, std::exp(loss),
                     100 * share(group.top1, group.tokens), 100 * share(group.top5, group.tokens));
}

}  // namespace

Metrics metrics(const Tally& tally) {
  const Tally::Group all = tally.all();
  Metrics found;
  found.tokens = all.tokens;
  found.notes = tally.notes();
  found.non_finite = tally.non_finite();
  found.loss = mean(all.nll, all.tokens);
  found.loss_per_note = mean(all.nll, tally.notes());
  found.perplexity = std::exp(found.loss);
  found.top1 = share(all.top1, all.tokens);
  found.top5 = share(all.top5, all.tokens);
  return found;
}

double value_of(const Metrics& metrics, const std::string& name) {
  if (name == "eval_loss") return metrics.loss;
  if (name == "eval_loss_per_note") return metrics.loss_per_note;
  if (name == "eval_perplexity") return metrics.perplexity;
  if (name == "eval_top1") return metrics.top1;
  if (name == "eval_top5") return metrics.top5;
  throw UsageError(fmt::format("no metric is called '{}'; there are {}", name, fmt::join(kMetricNames, ", ")));
}

std::map<std::string, double> by_name(const Metrics& metrics) {
  std::map<std::string, double> all;
  for (const std::string& name : kMetricNames) all[name] = value_of(metrics, name);
  return all;
}

bool more_is_better(const std::string& name) { return name == "eval_top1" || name == "eval_top5"; }

namespace {

/// Scientific pitch classes, as written in `confusion.pitch_classes`.
constexpr std::array kPitchClasses{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};

nlohmann::json counts_of(const Tally::Matrix& matrix) {
  nlohmann::json rows = nlohmann::json::array();
  for (int due = 0; due < matrix.rows; ++due) {
    rows.push_back(
        std::vector<std::int64_t>(matrix.counts + due * matrix.columns, matrix.counts + (due + 1) * matrix.columns));
  }
  return rows;
}

/// The matrix of pitches with octaves put together, [12, 13].
nlohmann::json pitch_classes_confused(const Tally& tally) {
  const Tally::Matrix pitches = tally.confusion(Tally::Confusion::kPitches);
  std::vector<std::vector<std::int64_t>> counts(12, std::vector<std::int64_t>(13));
  const auto pitch_class = [&](int pitch) { return static_cast<std::size_t>((tally.lowest_pitch() + pitch) % 12); };
  for (int due = 0; due < pitches.rows; ++due) {
    for (int guess = 0; guess < pitches.columns; ++guess) {
      counts[pitch_class(due)][guess < pitches.rows ? pitch_class(guess) : 12] += pitches.at(due, guess);
    }
  }
  return counts;
}

nlohmann::json confusions(const Tally& tally, const data::Vocabulary& vocabulary) {
  using Confusion = Tally::Confusion;
  std::vector<std::string> intervals;
  for (int semitones = -Tally::kWidestInterval; semitones <= Tally::kWidestInterval; ++semitones) {
    intervals.push_back(fmt::format("{:+}", semitones));
  }
  std::vector<std::string> durations;
  for (const data::TokenId token : tally.durations()) {
    durations.push_back(vocabulary.token(token).substr(std::string_view("Duration_").size()));
  }
  return {
      {"families", {{"names", vocabulary.families()}, {"counts", counts_of(tally.confusion(Confusion::kFamilies))}}},
      {"pitches", {{"lowest", tally.lowest_pitch()}, {"counts", counts_of(tally.confusion(Confusion::kPitches))}}},
      {"pitch_classes", {{"names", kPitchClasses}, {"counts", pitch_classes_confused(tally)}}},
      {"intervals", {{"names", intervals}, {"counts", counts_of(tally.confusion(Confusion::kIntervals))}}},
      {"durations", {{"names", durations}, {"counts", counts_of(tally.confusion(Confusion::kDurations))}}}};
}

nlohmann::json calibration(const Tally& tally) {
  nlohmann::json bins = nlohmann::json::array();
  for (const Tally::Bin& bin : tally.calibration()) {
    if (bin.tokens == 0) continue;
    bins.push_back({{"from", bin.from},
                    {"to", bin.to},
                    {"tokens", bin.tokens},
                    {"confidence", mean(bin.confidence, bin.tokens)},
                    {"correct", share(bin.correct, bin.tokens)}});
  }
  return {{"error", tally.calibration_error()}, {"bins", bins}};
}

}  // namespace

nlohmann::json to_json(const Tally& tally, const data::Vocabulary& vocabulary) {
  const Metrics found = metrics(tally);
  nlohmann::json by_family = nlohmann::json::object();
  for (int family = 0; family < tally.families(); ++family) {
    if (const auto group = tally.family(family); group.tokens > 0) {
      by_family[vocabulary.families()[static_cast<std::size_t>(family)]] = group_json(group);
    }
  }
  nlohmann::json by_position = nlohmann::json::array();
  for (const Tally::Stretch& stretch : tally.by_position()) {
    by_position.push_back({{"from", stretch.from},
                           {"to", stretch.to},
                           {"tokens", stretch.tokens},
                           {"loss", mean(stretch.nll, stretch.tokens)}});
  }
  return {{"tokens", found.tokens},
          {"notes", found.notes},
          {"non_finite", found.non_finite},
          {"loss", found.loss},
          {"loss_per_note", found.loss_per_note},
          {"perplexity", found.perplexity},
          {"top1", found.top1},
          {"top5", found.top5},
          {"by_family", by_family},
          {"by_position", by_position},
          {"calibration", calibration(tally)},
          {"grammar",
           {{"errors", share(tally.forbidden_guesses(), found.tokens)},
            {"mass", mean(tally.forbidden_mass(), found.tokens)}}},
          {"confusion", confusions(tally, vocabulary)}};
}

void write_result(const std::filesystem::path& file, const std::string& split, const nlohmann::json& result) {
  nlohmann::json whole = nlohmann::json::object();
  if (std::filesystem::exists(file)) {
    whole = nlohmann::json::parse(files::read(file), nullptr, /*allow_exceptions=*/false);
    if (!whole.is_object()) whole = nlohmann::json::object();  // damaged: what it held can be measured again
  }
  whole[split] = result;
  files::write_atomically(file, whole.dump(1) + "\n");
}

std::string table(const Tally& tally, const data::Vocabulary& vocabulary) {
  std::string text = fmt::format("  {:<14} {:>10} {:>8} {:>10} {:>7} {:>7}\n", "", "tokens", "loss", "perplexity",
                                 "top-1 %", "top-5 %");
  text += row("all", tally.all());
  for (int family = 0; family < tally.families(); ++family) {
    if (const auto group = tally.family(family); group.tokens > 0) text += row(vocabulary.families()[family], group);
  }
  const Metrics found = metrics(tally);
  text += fmt::format("  loss per note {:.4f} over {} notes\n", found.loss_per_note, found.notes);
  text += fmt::format("  guesses that the grammar forbids {:.3f} %, probability of such tokens {:.2e}\n",
                      100 * share(tally.forbidden_guesses(), found.tokens), mean(tally.forbidden_mass(), found.tokens));
  text += fmt::format("  calibration error {:.2f} %: how far the model's confidence lies from how often it is right\n",
                      100 * tally.calibration_error());
  if (found.non_finite > 0) text += fmt::format("  {} tokens left out: their loss is not finite\n", found.non_finite);
  return text;
}

std::string table_by_position(const Tally& tally) {
  std::string text = fmt::format("  {:<14} {:>10} {:>8}\n", "in the piece", "tokens", "loss");
  for (const Tally::Stretch& stretch : tally.by_position()) {
    text += fmt::format("  {:<14} {:>10} {:>8.4f}\n", fmt::format("{} to {}", stretch.from, stretch.to), stretch.tokens,
                        mean(stretch.nll, stretch.tokens));
  }
  return text;
}

}  // namespace etude::evaluate
