#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/blind.h"
#include "cli/commands.h"
#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/run/environment.h"
#include "report/figures/figures.h"
#include "report/formats/formats.h"
#include "report/model.h"
#include "report/page/page.h"
#include "report/run_reader.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<fs::path> runs;
  fs::path output;
  std::string format;  ///< empty: by the output's name
  fs::path figures;
  report::Options options;
  BlindArguments blind;
  PreferenceArguments preferences;
};

std::string format_of(const Arguments& arguments) {
  if (!arguments.format.empty()) return arguments.format;
  const std::string extension = arguments.output.extension().string();
  if (extension == ".html" || extension == ".htm") return "html";
  if (extension == ".csv") return "csv";
  if (extension == ".json") return "json";
  if (extension == ".tex") return "latex";
  return "md";
}

std::string in_format(const nlohmann::json& model, const std::string& format) {
  if (format == "html") return report::html_page(model);
  if (format == "csv") return report::csv(model);
  if (format == "latex") return report::latex(model);
  if (format == "json") return model.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return report::markdown(model);
}

void write_figures(const nlohmann::json& model, const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error(fmt::format("{}: cannot make the folder ({})", folder.string(), failed.message()));
  const auto figures = report::figures_of(model);
  for (const report::Figure& figure : figures) files::write_atomically(folder / (figure.name + ".svg"), figure.svg);
  fmt::print(stderr, "{} figures written to {}\n", figures.size(), folder.string());
}

void make_report(const Arguments& arguments) {
  const report::Found found = report::find_runs(arguments.runs);
  for (const std::string& word : found.passed_over) fmt::print(stderr, "passed over: {}\n", word);
  if (arguments.blind.blind) return make_listening_page(arguments.blind, found.folders, arguments.output);
  report::Options options = arguments.options;
  options.program = "etude " + run::version();
  nlohmann::json model = report::make_model(found.folders, options);
  add_preferences(model, arguments.preferences);
  if (!arguments.figures.empty()) write_figures(model, arguments.figures);
  const std::string format = format_of(arguments);
  const std::string text = in_format(model, format);
  if (arguments.output.empty()) {
    if (format == "html") throw UsageError("--format html: a page wants to be a file; --output report.html names it");
    fmt::print("{}", text);
    return;
  }
  files::write_atomically(arguments.output, text);
  fmt::print(stderr, "{} written: {} runs\n", arguments.output.string(), found.folders.size());
}

}  // namespace

void add_report(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("report", "Compare trained models: which is better, by how much, and how sure that is");
  command->add_option("runs", arguments->runs, "Run folders, or folders that hold some")->required()->type_name("RUN");
  command->add_option("--output", arguments->output, "A file to write instead of the terminal")->type_name("FILE");
  command
      ->add_option("--format", arguments->format,
                   "html (one page that needs nothing else), md, csv, json or latex (default: by the output's name, "
                   "else md)")
      ->check(CLI::IsMember({"html", "md", "csv", "json", "latex"}));
  command
      ->add_option("--metric", arguments->options.metric,
                   "What is compared: loss_per_note, loss_per_second (both mean something between tokenizations), loss "
                   "(per token)")
      ->capture_default_str();
  command->add_option("--split", arguments->options.split,
                      "On which split, as evaluation.json calls it: test, validation, test/sliding=768 (default: test "
                      "where any run was measured on it, else validation)");
  command->add_option("--title", arguments->options.title, "The report's title");
  command->add_option("--figures", arguments->figures, "Also write figures as SVG files into DIR")->type_name("DIR");
  command
      ->add_option("--price-per-core-hour", arguments->options.prices.core_hour,
                   "What an hour of a core costs; counts for all runs, whatever their jobs cost")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--price-per-gpu-hour", arguments->options.prices.gpu_hour, "What an hour of a GPU costs")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--currency", arguments->options.prices.currency, "Of these prices")->capture_default_str();
  add_blind_options(*command, arguments->blind);
  add_preference_options(*command, arguments->preferences);
  command->footer(
      "etude report runs --output report.html     all runs in a folder\n"
      "Runs of one configuration that differ by the seed are one row; 'within noise' means that the 95 % interval of\n"
      "the difference holds 0. docs/report.md says how the intervals come about.");
  command->callback([arguments] { make_report(*arguments); });
}

}  // namespace etude::cli
