#include "report/model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "report/compare.h"
#include "report/cost.h"
#include "report/grouping.h"
#include "report/measured.h"
#include "report/pieces.h"
#include "report/run_reader.h"
#include "report/standing.h"
#include "report/summary.h"
#include "report/surroundings.h"

namespace etude::report {
namespace {

namespace fs = std::filesystem;

// What keeps a page of 200 runs from taking more than a few megabytes.
constexpr std::size_t kMostPoints = 1000, kFewestPoints = 200, kPointsInAll = 60'000;
constexpr std::size_t kMostDetailed = 24;  ///< runs that are shown with confusion matrices and pieces
constexpr std::size_t kPiecesEach = 3;
constexpr std::size_t kMostValues = 200;  ///< of one measure's distribution

/// Six digits are more than a figure shows, and much shorter than seventeen.
Json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

Json list(const std::vector<double>& values) {
  Json all = Json::array();
  for (const double value : values) all.push_back(rounded(value));
  return all;
}

Json optional(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const Cost& cost) {
  return {{"core_hours", optional(cost.core_hours)},
          {"gpu_hours", optional(cost.gpu_hours)},
          {"money", optional(cost.money)},
          {"currency", cost.currency}};
}

Json interval_json(const std::optional<analysis::Interval>& interval) {
  if (!interval) return nullptr;
  return {{"low", interval->low}, {"high", interval->high}};
}

Json curve(const Series& series, const std::optional<double>& flops_per_token) {
  std::vector<double> flops;
  if (flops_per_token) {
    for (const double tokens : series.tokens) flops.push_back(tokens * *flops_per_token);
  }
  Json curve{{"step", list(series.step)},
             {"tokens", list(series.tokens)},
             {"seconds", list(series.seconds)},
             {"flops", list(flops)},
             {"loss", list(series.loss)}};
  if (!series.loss_per_note.empty()) curve["loss_per_note"] = list(series.loss_per_note);
  return curve;
}

/// A member of the evaluation, or null.
Json member(const Measured& measured, const char* key) {
  if (measured.result == nullptr || !measured.result->contains(key)) return nullptr;
  return (*measured.result)[key];
}

Json metrics_of(const Measured& measured) {
  Json metrics = Json::object();
  if (measured.result == nullptr) return metrics;
  for (const char* name : {"loss", "loss_per_note", "loss_per_second", "perplexity", "top1", "top5"}) {
    if (const auto value = Run::number(*measured.result, {name})) metrics[name] = *value;
  }
  const auto nested = [&](const char* name, const char* of, const char* key) {
    if (const auto value = Run::number(*measured.result, {of, key})) metrics[name] = *value;
  };
  nested("calibration_error", "calibration", "error");
  nested("grammar_errors", "grammar", "errors");
  nested("grammar_mass", "grammar", "mass");
  return metrics;
}

/// Keeps the shape of a long list of values: evenly many of them, in order of size.
void thin_values(Json& values) {
  if (!values.is_array() || values.size() <= kMostValues) return;
  std::vector<double> all;
  for (const Json& value : values) {
    if (value.is_number()) all.push_back(value.get<double>());
  }
  std::ranges::sort(all);
  Json kept = Json::array();
  for (std::size_t i = 0; i < kMostValues && !all.empty(); ++i) {
    kept.push_back(rounded(all[i * (all.size() - 1) / (kMostValues - 1)]));
  }
  values = kept;
}

/// music.json without its pieces, which the model lists with their notes.
Json music_of(const Run& run) {
  if (!run.music.is_object()) return nullptr;
  Json music = run.music;
  music.erase("pieces");
  if (!music.contains("measures") || !music["measures"].is_array()) return music;
  for (Json& measure : music["measures"]) {
    if (!measure.is_object() || !measure.contains("values") || !measure["values"].is_object()) continue;
    for (auto& [of, values] : measure["values"].items()) thin_values(values);
  }
  return music;
}

std::string id_of_run(std::size_t run) { return fmt::format("r{}", run + 1); }
std::string id_of_group(std::size_t group) { return fmt::format("g{}", group + 1); }

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

class Maker {
 public:
  Maker(const std::vector<fs::path>& folders, const Options& options)
      : options_(options),
        metric_(metric_of(options.metric)),
        runs_(read_runs(
            folders, std::clamp(kPointsInAll / std::max<std::size_t>(1, folders.size()), kFewestPoints, kMostPoints))),
        split_(options.split.empty() ? usual_split(runs_) : options.split) {
    Neighbourhood neighbourhood;
    for (const Run& run : runs_) {
      measured_.push_back(measure(run, split_, metric_));
      costs_.push_back(cost_of(run, options.prices));
      // Of many runs all would look at all.
      standings_.push_back(
          standing(run.history, runs_.size() <= kMostDetailed ? neighbourhood.of(run.folder) : Surroundings{}));
    }
    grouping_ = group_runs(runs_, measured_, metric_);
    compared_ = compare(measured_, grouping_, metric_);
    choose_detailed();
  }

  Json make() {
    const Facts facts{runs_, measured_, grouping_, compared_, costs_, standings_, metric_, split_};
    Json model{{"made", {{"program", options_.program}, {"revision", options_.revision}, {"at", utc_now()}}},
               {"title", options_.title.empty() ? title() : options_.title},
               {"metric",
                {{"name", metric_.name},
                 {"words", metric_.words},
                 {"unit", metric_.unit},
                 {"split", split_},
                 {"goal", "minimize"}}},
               {"summary", summary_of(facts)},
               {"runs", Json::array()},
               {"groups", Json::array()},
               {"comparisons", Json::array()},
               {"refused", Json::array()},
               {"differences", Json::array()},
               {"preferences", nullptr}};
    for (std::size_t i = 0; i < runs_.size(); ++i) model["runs"].push_back(run_json(i));
    for (std::size_t i = 0; i < grouping_.groups.size(); ++i) model["groups"].push_back(group_json(i));
    for (const Comparison& one : compared_.comparisons) model["comparisons"].push_back(comparison_json(one, facts));
    for (const Refused& one : compared_.refused) {
      model["refused"].push_back({{"a", id_of_group(one.a)}, {"b", id_of_group(one.b)}, {"reason", one.reason}});
    }
    for (const Difference& one : differences(runs_)) {
      model["differences"].push_back({{"key", one.key}, {"values", one.values}});
    }
    return model;
  }

 private:
  std::string title() const {
    return runs_.size() == 1 ? runs_.front().name : fmt::format("{} runs compared", runs_.size());
  }

  /// All runs where there are few; else one of each group, the best first.
  void choose_detailed() {
    detailed_.assign(runs_.size(), runs_.size() <= kMostDetailed);
    if (runs_.size() <= kMostDetailed) return;
    std::size_t chosen = 0;
    for (const auto& table : compared_.tables) {
      for (const std::size_t group : table) {
        if (chosen++ < kMostDetailed) detailed_[grouping_.groups[group].measured.front()] = true;
      }
    }
  }

  bool learned_from_other_music(const Measured& measured) const {
    if (compared_.tables.empty() || measured.learned_from.empty()) return false;
    const Measured& best = measured_[grouping_.groups[compared_.tables.front().front()].measured.front()];
    return !best.learned_from.empty() && best.learned_from != measured.learned_from;
  }

  std::size_t group_of(std::size_t run) const {
    for (std::size_t i = 0; i < grouping_.groups.size(); ++i) {
      if (std::ranges::find(grouping_.groups[i].runs, run) != grouping_.groups[i].runs.end()) return i;
    }
    return 0;
  }

  Json run_json(std::size_t i) {
    Run& run = runs_[i];
    const Measured& measured = measured_[i];
    Json pieces = generated_pieces(run, detailed_[i] ? kPiecesEach : 0);
    Json marks = run.marks;
    if (!measured.why_not.empty()) marks.push_back(measured.why_not);
    if (const auto same = grouping_.same_as[i]) {
      marks.push_back(
          fmt::format("measured the same as {} to the last digit, so it is that run once more and no other "
                      "seed; not counted",
                      runs_[*same].name));
    }
    if (const std::string elsewhere = music_from_elsewhere(run); !elsewhere.empty()) {
      marks.push_back(
          fmt::format("its figures of music are of the pieces in {}, which it need not have made; 'etude "
                      "evaluate {} --generate 20' measures its own",
                      elsewhere, run.folder.string()));
    }
    if (learned_from_other_music(measured)) {
      marks.push_back("learned from other music than the best: a difference may be the music's and not the model's");
    }
    const Json flops = run.flops_per_token ? Json(*run.flops_per_token * run.history.tokens) : Json(nullptr);
    const auto step = measured.result ? Run::number(*measured.result, {"step"}) : std::nullopt;
    return {{"id", id_of_run(i)},
            {"name", run.name},
            {"folder", run.folder.string()},
            {"group", id_of_group(group_of(i))},
            {"seed", seed_of(run)},
            {"kind", run.kind()},
            {"parameters", optional(run.parameters)},
            {"tokens", run.history.tokens},
            {"seconds", run.history.seconds},
            {"flops", flops},
            {"step", step ? static_cast<std::int64_t>(std::clamp(*step, 0.0, 9e15)) : run.history.step},
            {"steps", run.history.steps},
            {"state", run.finished ? "finished" : "unfinished"},
            {"cost", to_json(costs_[i])},
            {"metrics", metrics_of(measured)},
            {"interval", interval_json(compared_.runs[i])},
            {"marks", marks},
            {"curves",
             {{"train", curve(run.history.train, run.flops_per_token)},
              {"evaluation", curve(run.history.evaluation, run.flops_per_token)}}},
            {"evaluation",
             {{"by_family", member(measured, "by_family")},
              {"by_position", member(measured, "by_position")},
              {"by_composer", member(measured, "by_composer")},
              {"by_label", member(measured, "by_label")},
              {"calibration", member(measured, "calibration")},
              {"confusion", detailed_[i] ? member(measured, "confusion") : Json(nullptr)}}},
            {"environment", run.environment.is_object() ? run.environment : Json::object()},
            {"config", run.config},
            {"standing", to_json(standings_[i])},
            {"music", music_of(run)},
            {"pieces", std::move(pieces)}};
  }

  Json group_json(std::size_t i) const {
    const Group& group = grouping_.groups[i];
    const GroupFigures& figures = compared_.groups[i];
    Json runs = Json::array(), differs = Json::object();
    for (const std::size_t run : group.runs) runs.push_back(id_of_run(run));
    for (const auto& [key, value] : group.differs) differs[key] = value;
    const Effort effort = effort_of(group, runs_, costs_);
    return {{"id", id_of_group(i)},
            {"name", group.name},
            {"runs", runs},
            {"differs", differs},
            {"mean", optional(figures.mean)},
            {"deviation", optional(figures.deviation)},
            {"interval", interval_json(figures.interval)},
            {"seconds", effort.seconds},
            {"cost", to_json(effort.cost)}};
  }

  static Json comparison_json(const Comparison& one, const Facts& facts) {
    const bool known = one.interval.has_value();
    return {{"a", id_of_group(one.a)},
            {"b", id_of_group(one.b)},
            {"difference", one.difference},
            {"low", known ? Json(one.interval->low) : Json(nullptr)},
            {"high", known ? Json(one.interval->high) : Json(nullptr)},
            {"pieces", one.pieces},
            {"seeds", {one.seeds_a, one.seeds_b}},
            {"verdict", in_words(one.verdict)},
            {"sentence", sentence_of(one, facts)}};
  }

  const Options& options_;
  const Metric& metric_;
  std::vector<Run> runs_;
  std::string split_;
  std::vector<Measured> measured_;
  std::vector<Cost> costs_;
  std::vector<Standing> standings_;
  Grouping grouping_;
  Compared compared_;
  std::vector<bool> detailed_;
};

}  // namespace

Json make_model(const std::vector<fs::path>& folders, const Options& options) { return Maker(folders, options).make(); }

}  // namespace etude::report
