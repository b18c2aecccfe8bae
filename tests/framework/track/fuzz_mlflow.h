#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace etude::testing {

/// Stands between two answers in an input of the fuzz target.
inline constexpr std::string_view kBetween = "\n----\n";

/// An answer with its head.
std::string with_head(const std::string& body, int status = 200);
/// What a server says that has no such experiment yet, but a run of the same name.
std::vector<std::string> good_answers();
std::string joined(const std::vector<std::string>& answers);

}  // namespace etude::testing
