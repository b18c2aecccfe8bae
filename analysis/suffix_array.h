#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace etude::analysis {

/// The places of a text in the order of what follows from there on, a text's end before everything else, in time and
/// memory proportional to the text: induced sorting (Nong, Zhang and Chan, "Two Efficient Algorithms for Linear Time
/// Suffix Array Construction", IEEE Transactions on Computers 60(10), 2011). Symbols are in [0, alphabet); a text has
/// at most 2^31 - 2 of them, more throw Error.
std::vector<std::int32_t> suffix_array(std::span<const std::int32_t> text, std::int32_t alphabet);

}  // namespace etude::analysis
