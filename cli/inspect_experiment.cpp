#include "cli/inspect_experiment.h"

#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "data/shard/pack.h"
#include "framework/log/format.h"
#include "framework/train/forecast.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnknown = "?";

/// A model of the vocabulary that the pack has, or the one it would have by default, is made and thrown away.
train::Forecast forecast_of(const fs::path& file, const train::Experiment& experiment) {
  std::optional<data::Pack> pack;
  std::int64_t vocabulary = 0;
  if (fs::exists(experiment.data.pack / "pack.json")) {
    pack = data::Pack::open(experiment.data.pack);
    vocabulary = pack->vocabulary().size();
  } else {
    vocabulary = data::make_tokenizer("remi")->vocabulary().size();
    fmt::print(
        "{}: there is no pack {} yet, so this counts with the {} tokens of the default tokenizer, and cannot tell how "
        "many epochs there will be\n",
        file.string(), experiment.data.pack.string(), vocabulary);
  }
  const auto model =
      models::make_model(experiment.model, vocabulary, experiment.data.sequence_length, experiment.seed());
  return train::forecast(experiment, *model, pack ? &*pack : nullptr);
}

std::string mebibytes(std::int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 1048576.0); }

/// 1234567 as "1.235 million".
std::string in_words(double count) {
  constexpr std::pair<double, const char*> kWords[] = {{1e12, " trillion"}, {1e9, " billion"}, {1e6, " million"}};
  for (const auto& [unit, word] : kWords) {
    if (count >= unit && count < 1e6 * unit) return fmt::format("{:.3f}{}", count / unit, word);
  }
  return count < 1e6 ? log::with_thousands(static_cast<std::int64_t>(count)) : fmt::format("{:.3e}", count);
}

/// A table whose first column says what the others tell of.
class Table {
 public:
  explicit Table(const std::vector<train::Forecast>& forecasts) : forecasts_(forecasts) {}

  void heading(const std::string& text) { rows_.push_back({text, {}}); }
  void row(const std::string& text, const std::function<std::string(const train::Forecast&)>& cell) {
    Row& row = rows_.emplace_back(Row{text, {}});
    for (const train::Forecast& forecast : forecasts_) row.cells.push_back(cell(forecast));
  }
  void row(const std::string& text, const std::vector<std::string>& cells) { rows_.push_back({text, cells}); }

  void print() const {
    std::size_t first = 0;
    std::vector<std::size_t> widths(forecasts_.size());
    for (const Row& row : rows_) {
      if (!row.cells.empty()) first = std::max(first, row.text.size());
      for (std::size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], row.cells[i].size());
    }
    for (const Row& row : rows_) {
      std::string line = row.cells.empty() ? row.text : fmt::format("{:<{}}", row.text, first);
      for (std::size_t i = 0; i < row.cells.size(); ++i) line += fmt::format("  {:>{}}", row.cells[i], widths[i]);
      fmt::print("{}\n", line);
    }
  }

 private:
  struct Row {
    std::string text;
    std::vector<std::string> cells;
  };
  const std::vector<train::Forecast>& forecasts_;
  std::vector<Row> rows_;
};

void add_parameters(Table& table, const std::vector<train::Forecast>& forecasts) {
  std::vector<std::string> parts;
  for (const train::Forecast& forecast : forecasts) {
    for (const auto& [part, count] : forecast.parameters_of_parts) {
      if (std::ranges::find(parts, part) == parts.end()) parts.push_back(part);
    }
  }
  table.heading("parameters");
  for (const std::string& part : parts) {
    table.row("  " + part, [&](const train::Forecast& forecast) -> std::string {
      for (const auto& [name, count] : forecast.parameters_of_parts) {
        if (name != part) continue;
        const double share = 100.0 * static_cast<double>(count) / static_cast<double>(forecast.parameters);
        return fmt::format("{} {:>5.1f} %", log::with_thousands(count), share);
      }
      return "–";
    });
  }
  table.row("  in all", [](const auto& forecast) { return log::with_thousands(forecast.parameters); });
}

void add_memory(Table& table) {
  table.heading("memory on every rank; one more set of gradients for each thread, and activations, come on top");
  table.row("  weights", [](const auto& forecast) { return mebibytes(forecast.weights); });
  table.row("  gradients", [](const auto& forecast) { return mebibytes(forecast.gradients); });
  table.row("  the optimizer's moments", [](const auto& forecast) { return mebibytes(forecast.moments); });
  table.row("  in all",
            [](const auto& forecast) { return mebibytes(forecast.weights + forecast.gradients + forecast.moments); });
  table.row("what all lanes remember, divided among the ranks",
            [](const auto& forecast) { return mebibytes(forecast.lanes); });
}

void add_hearing(Table& table) {
  table.heading("tokens");
  table.row("  heard at a time", [](const auto& forecast) { return log::with_thousands(forecast.segment); });
  table.row("  remembered as hidden states, over all layers",
            [](const auto& forecast) { return log::with_thousands(forecast.remembered); });
  table.row("  that can bear on a prediction", [](const auto& forecast) -> std::string {
    return forecast.reach ? log::with_thousands(*forecast.reach) : "all of the piece";
  });
}

void add_work(Table& table) {
  table.heading("floating-point operations per token");
  table.row("  training", [](const auto& forecast) { return in_words(forecast.training_flops); });
  table.row("  evaluation", [](const auto& forecast) { return in_words(forecast.evaluation_flops); });
  const auto tokens = [](const train::Forecast& forecast) {
    return static_cast<double>(*forecast.steps) * static_cast<double>(forecast.tokens_per_step);
  };
  table.heading("the run; tokens at most, where no sequence is shorter than the longest");
  table.row("  tokens a step", [](const auto& forecast) { return log::with_thousands(forecast.tokens_per_step); });
  table.row("  steps", [](const auto& forecast) -> std::string {
    return forecast.steps ? log::with_thousands(*forecast.steps) : kUnknown;
  });
  table.row("  tokens", [&](const auto& forecast) -> std::string {
    return forecast.steps ? in_words(tokens(forecast)) : kUnknown;
  });
  table.row("  epochs", [](const auto& forecast) -> std::string {
    return forecast.epochs ? fmt::format("{:.2f}", *forecast.epochs) : kUnknown;
  });
  table.row("  floating-point operations", [&](const auto& forecast) -> std::string {
    return forecast.steps ? fmt::format("{:.3e}", tokens(forecast) * forecast.training_flops) : kUnknown;
  });
}

}  // namespace

void inspect_experiments(const std::vector<fs::path>& files, const std::vector<std::string>& assignments) {
  std::vector<train::Forecast> forecasts;
  std::vector<std::string> names;
  for (const fs::path& file : files) {
    const train::Experiment experiment = train::load_experiment(file, assignments);
    forecasts.push_back(forecast_of(file, experiment));
    names.push_back(experiment.name);
  }
  Table table(forecasts);
  table.row("experiment", names);
  table.row("model", [](const auto& forecast) { return forecast.kind; });
  table.row("vocabulary", [](const auto& forecast) { return log::with_thousands(forecast.vocabulary); });
  add_parameters(table, forecasts);
  add_memory(table);
  add_hearing(table);
  add_work(table);
  table.print();
}

}  // namespace etude::cli
