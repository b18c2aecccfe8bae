#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace etude::report {

// The report's model (docs/formats.md) as text.

/// Markdown whose tables are aligned, so that it reads well in a terminal too.
std::string markdown(const nlohmann::json& model);

/// RFC 4180, one row a run, numbers in full; options that differ between runs have a column each, `config.train.lr`.
std::string csv(const nlohmann::json& model);

/// Two tables for the package booktabs: the configurations, and how they compare.
std::string latex(const nlohmann::json& model);

}  // namespace etude::report
