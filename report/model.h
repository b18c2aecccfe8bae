#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "report/prices.h"

namespace etude::report {

struct Options {
  std::string metric = "loss_per_note";  ///< or loss_per_second, loss
  std::string split = {};  ///< a key of evaluation.json; empty: test where any run has it, else validation
  std::string title = {};  ///< empty: made from what is compared
  Prices prices = {};
  std::string program = {};   ///< who makes the report, for its last line
  std::string revision = {};  ///< of the program's source
};

/// Reads the run folders, compares what may be compared, and gives the whole report as one JSON object, which all
/// formats are made from; docs/formats.md describes it. Curves and pieces are thinned so that 200 runs stay readable.
/// Throws UsageError for a metric that there is none of.
nlohmann::json make_model(const std::vector<std::filesystem::path>& folders, const Options& options);

}  // namespace etude::report
