#include "report/formats/formats.h"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/figures/figures.h"
#include "report/model.h"
#include "tests/report/run_folders.h"
#include "tests/support/oracle.h"

namespace etude::report {
namespace {

using ::etude::testing::pieces_at;
using ::etude::testing::run_python;
using ::etude::testing::run_shell;
using ::etude::testing::slurp;
using ::etude::testing::TemporaryFolder;
using ::etude::testing::write_run;
using ::etude::testing::write_text;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Two runs, one with a name that means something to every format.
Json hostile_model(const TemporaryFolder& folder) {
  const fs::path plain = folder.path() / "plain", hostile = folder.path() / "a_b & 50%, \"q\" <i> | $x$ \\end{table}";
  write_run(plain, {.width = 128, .pieces = pieces_at(3.2, 40, 0.05, 1)});
  write_run(hostile, {.width = 256, .pieces = pieces_at(3.0, 40, 0.05, 2), .done = 50, .finished = false});
  write_text(hostile / "config.yaml", std::regex_replace(slurp(hostile / "config.yaml"), std::regex("kind: gpt2"),
                                                         "kind: \"x,y \\\"z\\\" & #1 _ ^ ~ {b} <script> \\e[31m\""));
  Options options;
  options.title = "Which is better?";
  return make_model({plain, hostile}, options);
}

TEST(Formats, MarkdownIsTablesWhoseCellsStayCells) {
  const TemporaryFolder folder;
  const std::string text = markdown(hostile_model(folder));
  EXPECT_THAT(text, HasSubstr("# Which is better?"));
  EXPECT_THAT(text, HasSubstr("## Configurations"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  std::istringstream lines(text);
  std::size_t columns = 0;
  const std::regex escaped_pipe(R"(\\\|)");
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) {
      columns = 0;
      continue;
    }
    const std::string cells = std::regex_replace(line, escaped_pipe, "");
    const auto count = static_cast<std::size_t>(std::ranges::count(cells, '|'));
    if (columns == 0) columns = count;
    EXPECT_EQ(count, columns) << line;
  }
}

TEST(Formats, CsvIsReadBackByPython) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no Python of script/setup --test";
  const TemporaryFolder folder;
  const Json model = hostile_model(folder);
  write_text(folder.path() / "report.csv", csv(model));
  const std::string read = run_python(R"(
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], newline=''), strict=True))
print(json.dumps(rows))
)",
                                      {(folder.path() / "report.csv").string()});
  const Json rows = Json::parse(read);
  ASSERT_EQ(rows.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(rows[i]["run"], model["runs"][i]["name"]);
    EXPECT_EQ(std::stod(rows[i]["loss_per_note"].get<std::string>()),
              model["runs"][i]["metrics"]["loss_per_note"].get<double>());
    EXPECT_FALSE(rows[i].contains("null")) << "more cells than columns";
  }
  EXPECT_EQ(rows[0]["config.model.width"], "128");
  EXPECT_EQ(rows[1]["config.model.kind"], model["runs"][1]["config"]["model.kind"]);
  EXPECT_EQ(rows[1]["state"], "unfinished");
}

TEST(Formats, LatexEscapesWhatMeansSomethingToIt) {
  const TemporaryFolder folder;
  const std::string text = latex(hostile_model(folder));
  EXPECT_THAT(text, HasSubstr("\\toprule"));
  EXPECT_THAT(text, HasSubstr("x,y \"z\" \\& \\#1 \\_ \\textasciicircum{} \\textasciitilde{} \\{b\\}"));
  if (run_shell("command -v pdflatex").exit_code != 0) GTEST_SKIP() << "no LaTeX here to compile it";
  write_text(folder.path() / "report.tex",
             "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + text + "\\end{document}\n");
  const auto made = run_shell("cd '" + folder.path().string() + "' && timeout 60 pdflatex -halt-on-error report.tex");
  EXPECT_EQ(made.exit_code, 0) << made.output;
}

TEST(Formats, LatexHasInBoldAllThatMayBeTheBest) {
  const TemporaryFolder folder;
  const std::vector<fs::path> runs{folder.path() / "a", folder.path() / "b", folder.path() / "c", folder.path() / "d"};
  write_run(runs[0], {.width = 128, .pieces = pieces_at(3.0, 40, 0.05, 1)});
  write_run(runs[1], {.width = 256, .pieces = pieces_at(3.0, 40, 0.05, 2)});
  write_run(runs[2], {.width = 512, .pieces = pieces_at(3.4, 40, 0.05, 3)});
  auto others = pieces_at(1.0, 40, 0.05, 4);  // easier music: the lowest figure, and no rival
  for (auto& piece : others) piece.id += "-other";
  write_run(runs[3], {.width = 1024, .split_hash = "bbbb", .pieces = others});
  const std::string text = latex(make_model(runs, {}));
  std::vector<std::string> bold;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\\textbf") != std::string::npos) bold.push_back(line.substr(0, line.find(" &")));
  }
  EXPECT_THAT(bold, ::testing::UnorderedElementsAre("  width 128", "  width 256"));
}

TEST(Figures, AreWellFormedXmlWhateverRunsAreCalled) {
  if (!testing::oracle_python()) GTEST_SKIP() << "no Python of script/setup --test";
  const TemporaryFolder folder;
  const auto figures = figures_of(hostile_model(folder));
  std::string names;
  for (const Figure& figure : figures) {
    names += figure.name + " ";
    write_text(folder.path() / "figures" / (figure.name + ".svg"), figure.svg);
  }
  EXPECT_EQ(
      names,
      "comparison curves-tokens curves-seconds curves-flops loss-by-position confusion-families confusion-pitches ");
  const std::string sizes = run_python(R"(
import glob, sys, xml.etree.ElementTree as tree
for file in sorted(glob.glob(sys.argv[1] + '/*.svg')):
    root = tree.parse(file).getroot()
    assert root.tag == '{http://www.w3.org/2000/svg}svg', root.tag
    width, height = float(root.get('width')), float(root.get('height'))
    for one in root.iter('{http://www.w3.org/2000/svg}polyline'):
        for point in one.get('points').split():
            x, y = map(float, point.split(','))
            assert -1 <= x <= width + 1 and -1 <= y <= height + 1, (file, point)
print('fine')
)",
                                       {(folder.path() / "figures").string()});
  EXPECT_EQ(sizes, "fine\n");
}

TEST(Figures, NothingMeasuredIsNothingDrawn) {
  const TemporaryFolder folder;
  write_run(folder.path() / "run", {.split = "", .pieces = {}, .done = 0, .finished = false});
  EXPECT_TRUE(figures_of(make_model({folder.path() / "run"}, {})).empty());
}

}  // namespace
}  // namespace etude::report
