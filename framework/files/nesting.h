#pragma once

#include <cstddef>
#include <string_view>

namespace etude::files {

/// Nothing that Etude or MLflow writes is a tenth as deep.
inline constexpr std::size_t kDeepestJson = 200;

/// Whether brackets in a JSON text stand within one another deeper than `most`. What parses JSON here does so at any
/// depth, but copies, compares and writes it by recursion, so a few hundred thousand brackets would end the program.
bool nests_deeper(std::string_view json, std::size_t most = kDeepestJson);

}  // namespace etude::files
