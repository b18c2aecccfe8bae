#include "analysis/music_comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "analysis/bars.h"
#include "analysis/distances.h"
#include "analysis/histograms.h"
#include "analysis/music_measures.h"
#include "analysis/self_similarity.h"

namespace etude::analysis {
namespace {

using nlohmann::json;
using Pieces = std::span<const PieceFigures>;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json numbers(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

json by_name(const std::vector<double>& measures) {
  json named = json::object();
  for (std::size_t i = 0; i < measures.size(); ++i) named[music_measures()[i].name] = number(measures[i]);
  return named;
}

json by_length(const std::vector<Repetition>& repetitions, double Repetition::*share) {
  json lengths = json::object();
  for (const Repetition& repetition : repetitions)
    lengths[std::to_string(repetition.length)] = number(repetition.*share);
  return lengths;
}

json describe_piece(const PieceFigures& piece) {
  return {{"file", piece.file},
          {"seconds", piece.seconds},
          {"notes", piece.notes},
          {"bars", piece.bars},
          {"measures", by_name(piece.measures)},
          {"repetition", by_length(piece.repetition, &Repetition::transposed)},
          {"repetition_exact", by_length(piece.repetition, &Repetition::exact)}};
}

/// One figure of all pieces; what is undefined in a piece stays nan.
std::vector<double> column(Pieces pieces, std::size_t measure) {
  std::vector<double> values;
  for (const PieceFigures& piece : pieces) values.push_back(piece.measures[measure]);
  return values;
}

/// Over the pieces of which the figure is defined; the deviation with n - 1.
json summarize(const std::vector<double>& values) {
  double sum = 0, squares = 0, n = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++n;
  }
  for (const double value : values) {
    if (std::isfinite(value)) squares += (value - sum / n) * (value - sum / n);
  }
  return {{"mean", n > 0 ? number(sum / n) : json(nullptr)},
          {"deviation", n > 1 ? number(std::sqrt(squares / (n - 1))) : json(nullptr)},
          {"n", static_cast<std::int64_t>(n)}};
}

json compare_measure(Pieces generated, Pieces reference, std::size_t index) {
  const MusicMeasure& measure = music_measures()[index];
  const std::vector<double> ours = column(generated, index), theirs = column(reference, index);
  const SetComparison sets = compare_sets(ours, theirs);
  return {{"name", measure.name},
          {"words", measure.words},
          {"unit", measure.unit},
          {"source", measure.source},
          {"generated", summarize(ours)},
          {"reference", summarize(theirs)},
          {"overlap", number(overlap(ours, theirs))},
          {"divergence", number(kullback_leibler(theirs, ours))},
          {"distance", number(wasserstein(ours, theirs))},
          {"sets", {{"overlap", number(sets.overlap)}, {"divergence", number(sets.divergence)}}},
          {"values", {{"generated", numbers(ours)}, {"reference", numbers(theirs)}}}};
}

std::vector<double> shares(Pieces pieces, std::size_t kind) {
  std::vector<std::vector<double>> counts;
  for (const PieceFigures& piece : pieces) counts.push_back(piece.histograms[kind]);
  return mean_shares(counts);
}

json compare_histogram(Pieces generated, Pieces reference, std::size_t index) {
  const HistogramKind& kind = histogram_kinds()[index];
  const std::vector<double> nothing(kind.bins.size(), std::numeric_limits<double>::quiet_NaN());
  const std::vector<double> ours = generated.empty() ? nothing : shares(generated, index);
  const std::vector<double> theirs = reference.empty() ? nothing : shares(reference, index);
  return {
      {"name", kind.name},          {"words", kind.words},          {"bins", kind.bins},
      {"generated", numbers(ours)}, {"reference", numbers(theirs)}, {"distance", number(jensen_shannon(ours, theirs))}};
}

/// Likeness of bars by their distance, the mean of the pieces that are long enough; nan where fewer than a quarter are:
/// the end of a curve would be that of one or two long pieces.
std::vector<double> mean_similarity(Pieces pieces) {
  std::vector<double> means;
  for (std::size_t i = 0; i < kMostBarsApart; ++i) {
    double sum = 0, n = 0;
    for (const PieceFigures& piece : pieces) {
      if (std::isnan(piece.similarity[i])) continue;
      sum += piece.similarity[i];
      ++n;
    }
    const bool enough = n > 0 && 4 * n >= static_cast<double>(pieces.size());
    means.push_back(enough ? sum / n : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

json compare_structure(Pieces generated, Pieces reference) {
  const std::vector<double> ours = mean_similarity(generated), theirs = mean_similarity(reference);
  double error = 0, n = 0;
  json bars = json::array();
  for (std::size_t i = 0; i < kMostBarsApart; ++i) {
    bars.push_back(i + 1);
    if (std::isnan(ours[i]) || std::isnan(theirs[i])) continue;
    error += std::abs(ours[i] - theirs[i]);
    ++n;
  }
  return {{"words", "How much two bars have in common that lie so many bars apart"},
          {"source", "Yu et al. 2022"},
          {"bars", bars},
          {"generated", numbers(ours)},
          {"reference", numbers(theirs)},
          {"error", n > 0 ? number(error / n) : json(nullptr)}};
}

std::string cell(const json& value, const char* format) {
  return value.is_number() ? fmt::format(fmt::runtime(format), value.get<double>()) : "-";
}

std::string mean_and_deviation(const json& summary) {
  std::string text = cell(summary.at("mean"), "{:.3g}");
  if (summary.at("deviation").is_number()) text += cell(summary.at("deviation"), " ± {:.2g}");
  return text;
}

}  // namespace

PieceFigures measure_piece(const std::string& file, const data::Score& score) {
  PieceFigures piece;
  piece.file = file;
  const std::int64_t end = data::end_of(score);
  piece.seconds = data::seconds_at(score, end);
  piece.notes = data::count_notes(score);
  piece.bars = end > 0 ? Bars(score).place_of(end - 1).bar + 1 : 0;
  piece.measures = measure_music(score);
  piece.histograms = histograms(score);
  piece.repetition = repetition(score);
  piece.similarity = SelfSimilarity(score).by_distance(kMostBarsApart);
  return piece;
}

json compare_music(Pieces generated, Pieces reference) {
  json compared = {{"pieces", json::array()}, {"measures", json::array()}, {"histograms", json::array()}};
  for (const PieceFigures& piece : generated) compared["pieces"].push_back(describe_piece(piece));
  for (std::size_t i = 0; i < music_measures().size(); ++i) {
    compared["measures"].push_back(compare_measure(generated, reference, i));
  }
  for (std::size_t i = 0; i < histogram_kinds().size(); ++i) {
    compared["histograms"].push_back(compare_histogram(generated, reference, i));
  }
  compared["structure"] = compare_structure(generated, reference);
  return compared;
}

std::string describe_music(const json& music) {
  constexpr const char* kRow = "{:<22} {:>16} {:>16} {:>8} {:>9}  {}\n";
  std::string table = fmt::format(kRow, "measure", "generated", "reference", "overlap", "distance", "unit");
  for (const json& measure : music.at("measures")) {
    table += fmt::format(kRow, measure.at("name").get<std::string>(), mean_and_deviation(measure.at("generated")),
                         mean_and_deviation(measure.at("reference")), cell(measure.at("overlap"), "{:.2f}"),
                         cell(measure.at("distance"), "{:.3g}"), measure.at("unit").get<std::string>());
  }
  table +=
      "\noverlap: 1 where both sets spread alike, 0 where they have nothing in common; distance: how far the one\n"
      "set's values have to be moved on average to become the other's, in the unit\n\n";
  for (const json& histogram : music.at("histograms")) {
    table += fmt::format("{:<22} {} apart (0: alike, 1: nothing in common)\n", histogram.at("name").get<std::string>(),
                         cell(histogram.at("distance"), "{:.3f}"));
  }
  return table;
}

}  // namespace etude::analysis
