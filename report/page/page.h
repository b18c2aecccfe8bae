#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace etude::report {

/// The report as one HTML file that needs nothing else, no network either, and is opened from disk. `model` is what
/// make_model() gives (docs/formats.md); parts without data are left out. Whatever texts the model holds stay texts:
/// bytes that are no UTF-8 become U+FFFD.
std::string html_page(const nlohmann::json& model);

}  // namespace etude::report
