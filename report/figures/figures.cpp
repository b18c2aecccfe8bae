#include "report/figures/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "report/figures/axes.h"
#include "report/figures/heat_map.h"
#include "report/figures/lines.h"
#include "report/formats/cells.h"

namespace etude::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The configurations that are drawn, in the order of the tables.
std::vector<GroupRow> drawn_groups(const Json& model) {
  std::vector<GroupRow> rows = group_rows(model);
  if (rows.size() > kStrokes) rows.resize(kStrokes);
  return rows;
}

/// Each configuration a row: its mean as a marker, its interval as a line, its runs as ticks.
std::string intervals_figure(const Json& model) {
  std::vector<GroupRow> rows = group_rows(model);
  std::erase_if(rows, [](const GroupRow& row) { return !at(*row.group, "interval").is_object(); });
  constexpr std::size_t kMostRows = 40;
  if (rows.size() > kMostRows) rows.resize(kMostRows);
  if (rows.empty()) return "";
  const auto runs = by_id(at(model, "runs"));
  const std::string metric = text_of(at(at(model, "metric"), "name"));
  double low = kInfinity, high = -kInfinity;
  for (const GroupRow& row : rows) {
    low = std::min(low, at(at(*row.group, "interval"), "low").get<double>());
    high = std::max(high, at(at(*row.group, "interval"), "high").get<double>());
  }
  constexpr double kRow = 26, kLeft = 260, kWidth = 720;
  const Frame frame{kLeft, 20, kWidth - 20, 20 + kRow * static_cast<double>(rows.size())};
  const double room = (high - low) * 0.05;
  const Scale x(low - room, high + room, frame.left, frame.right);
  const std::string unit = text_of(at(at(model, "metric"), "unit"));
  Svg svg(kWidth, frame.bottom + 50, "Configurations with 95 % intervals");
  for (const double tick : x.ticks()) {
    svg.line(x(tick), frame.top, x(tick), frame.bottom, "#ddd");
    svg.text(x(tick), frame.bottom + 16, tick_text(tick), Svg::Anchor::kMiddle, 11);
  }
  svg.text((frame.left + frame.right) / 2, frame.bottom + 38, unit + ", with 95 % intervals; less is better",
           Svg::Anchor::kMiddle);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& group = *rows[i].group;
    const double y = frame.top + kRow * (static_cast<double>(i) + 0.5);
    svg.text(frame.left - 10, y + 4, shortened(rows[i].name, 40), Svg::Anchor::kEnd);
    svg.line(x(at(at(group, "interval"), "low").get<double>()), y, x(at(at(group, "interval"), "high").get<double>()),
             y, "#0072b2", 2);
    for (const Json& id : at(group, "runs")) {
      const auto run = runs.find(text_of(id));
      if (run == runs.end() || !at(*run->second, "interval").is_object()) continue;
      const Json& value = at(at(*run->second, "metrics"), metric.c_str());
      if (value.is_number()) svg.line(x(value.get<double>()), y - 6, x(value.get<double>()), y + 6, "#000");
    }
    svg.marker(x(at(group, "mean").get<double>()), y, 0, "#0072b2");
  }
  return svg.finish();
}

Json::const_reference losses_of(const Json& curve, const std::string& metric) {
  return at(curve, metric == "loss_per_note" ? "loss_per_note" : "loss");
}

std::string curves_figure(const Json& model, const char* along, const std::string& words) {
  const std::string metric = text_of(at(at(model, "metric"), "name"));
  LineChart chart{.title = "Learning curves", .x_words = words, .y_words = "evaluation loss, nats per token"};
  if (metric == "loss_per_note") chart.y_words = "evaluation loss, nats per note";
  for (const GroupRow& row : drawn_groups(model)) {
    const Json& curve = at(at(*row.first, "curves"), "evaluation");
    const Json& x = at(curve, along);
    const Json& y = losses_of(curve, metric);
    chart.lines.push_back({row.name, {}});
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (x[i].is_number() && y[i].is_number()) {
        chart.lines.back().points.emplace_back(x[i].get<double>(), y[i].get<double>());
      }
    }
  }
  return draw(chart);
}

std::string positions_figure(const Json& model) {
  LineChart chart{.title = "Loss by position in the piece",
                  .x_words = "tokens of the piece heard before (middle of each stretch)",
                  .y_words = "loss, nats per token",
                  .logarithmic = true};
  for (const GroupRow& row : drawn_groups(model)) {
    chart.lines.push_back({row.name, {}});
    for (const Json& stretch : at(at(*row.first, "evaluation"), "by_position")) {
      const Json &from = at(stretch, "from"), &to = at(stretch, "to"), &loss = at(stretch, "loss");
      if (!from.is_number() || !to.is_number() || !loss.is_number()) continue;
      const double middle = (from.get<double>() + to.get<double>()) / 2;
      if (middle > 0) chart.lines.back().points.emplace_back(middle, loss.get<double>());
    }
  }
  return draw(chart);
}

void add_confusions(const Json& model, std::vector<Figure>& figures) {
  const auto rows = group_rows(model);
  const auto shown = std::ranges::find_if(
      rows, [](const GroupRow& row) { return at(at(*row.first, "evaluation"), "confusion").is_object(); });
  if (shown == rows.end()) return;
  for (const auto& [name, matrix] : at(at(*shown->first, "evaluation"), "confusion").items()) {
    const std::string words = name == "pitch_classes" ? "pitch classes" : name;
    const std::string svg = draw(
        heat_map_of(matrix, fmt::format("{}: {}, what was due against what was held likeliest", shown->name, words)));
    if (!svg.empty()) figures.push_back({"confusion-" + file_word(name), svg});
  }
}

/// Shares of a histogram of generated music beside those of the reference.
void add_histograms(const Json& model, std::vector<Figure>& figures) {
  const auto rows = group_rows(model);
  const auto shown = std::ranges::find_if(
      rows, [](const GroupRow& row) { return at(at(*row.first, "music"), "histograms").is_array(); });
  if (shown == rows.end()) return;
  for (const Json& histogram : at(at(*shown->first, "music"), "histograms")) {
    const std::string svg = draw(bars_of(histogram, shown->name));
    if (!svg.empty()) figures.push_back({"histogram-" + file_word(text_of(at(histogram, "name"))), svg});
  }
}

/// Where generated pieces lie between those of the reference, for each measure.
void add_measures(const Json& model, std::vector<Figure>& figures) {
  const auto rows = group_rows(model);
  const auto shown = std::ranges::find_if(
      rows, [](const GroupRow& row) { return at(at(*row.first, "music"), "measures").is_array(); });
  if (shown == rows.end()) return;
  for (const Json& measure : at(at(*shown->first, "music"), "measures")) {
    const std::string svg = draw(shares_below(measure, shown->name));
    if (!svg.empty()) figures.push_back({"measure-" + file_word(text_of(at(measure, "name"))), svg});
  }
}

}  // namespace

std::vector<Figure> figures_of(const Json& model) {
  std::vector<Figure> figures{{"comparison", intervals_figure(model)},
                              {"curves-tokens", curves_figure(model, "tokens", "tokens learned from")},
                              {"curves-seconds", curves_figure(model, "seconds", "seconds of training")},
                              {"curves-flops", curves_figure(model, "flops", "floating-point operations of training")},
                              {"loss-by-position", positions_figure(model)}};
  std::erase_if(figures, [](const Figure& figure) { return figure.svg.empty(); });
  add_confusions(model, figures);
  add_histograms(model, figures);
  add_measures(model, figures);
  return figures;
}

}  // namespace etude::report
